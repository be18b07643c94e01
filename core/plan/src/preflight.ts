import {
  ANYTHING,
  fail,
  type PreflightCheck,
  type PreflightState,
  pass,
  UNKNOWN,
  type Verdict,
  warn,
} from "./preflight-check.ts";
import type { PreflightFacts } from "./preflight-facts.ts";
import type { PreflightRequirements, WantedPort } from "./preflight-requirements.ts";
import { PREFLIGHT_RULES } from "./preflight-rules.ts";

/** Everything that was looked at, also what is as it should be. What is not known is a warning that says so. */
export function judgePreflight(
  requirements: PreflightRequirements,
  facts: PreflightFacts,
): readonly PreflightCheck[] {
  const rules = PREFLIGHT_RULES.filter((rule) => rule.applies?.(requirements) ?? true);
  return [
    ...rules.map(({ id, title, wanted, judge }) => ({
      id,
      title,
      wanted: wanted(requirements),
      ...judge(requirements, facts),
    })),
    ...requirements.ports.map((port) => ({
      id: `port:${port.port}/${port.protocol}`,
      title: `Port ${port.port}/${port.protocol}`,
      wanted: port.component === undefined ? "free, as the app declares" : `free, for ${port.component}`,
      ...judgePort(port, { app: requirements.app, taken: facts.takenPorts }),
    })),
  ];
}

function judgePort(
  wanted: WantedPort,
  { app, taken }: { readonly app: string; readonly taken: PreflightFacts["takenPorts"] },
): Verdict {
  const own = pass("held by this app itself");
  if (wanted.held) return own;
  if (taken === undefined)
    return warn(UNKNOWN, `Make sure that nothing listens on it (ss -lnp | grep :${wanted.port}).`);
  const holders = taken.filter((one) => one.port === wanted.port && one.protocol === wanted.protocol);
  const other = holders.find((one) => one.app !== app);
  if (other === undefined) return holders.length === 0 ? pass("free") : own;
  const by = other.by ?? (other.app === undefined ? "something else" : `the app ${other.app}`);
  return fail(`${by} listens on it`, `Stop what listens on it, or choose another port${otherPort(wanted)}.`);
}

function otherPort({ component }: WantedPort): string {
  return component === undefined ? "" : ` for ${component}`;
}

/** The worst of them; `pass` when nothing was looked at. */
export function preflightVerdict(checks: readonly PreflightCheck[]): PreflightState {
  return WORST_FIRST.find((state) => checks.some((check) => check.state === state)) ?? "pass";
}

const WORST_FIRST: readonly PreflightState[] = ["fail", "warn", "pass"];

/** Checks as text, one line a check, what is worst first. Ends with a line end. */
export function renderPreflight(checks: readonly PreflightCheck[]): string {
  const sorted = WORST_FIRST.flatMap((state) => checks.filter((check) => check.state === state));
  const rows = sorted.map(({ state, title, found, wanted }) => [
    state,
    title,
    found,
    wanted === ANYTHING ? "" : `wanted: ${wanted}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row, at) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const remedy = sorted[at]?.remedy;
    return `  ${cells.join("  ")}${remedy === undefined ? "" : `  → ${remedy}`}`.trimEnd();
  });
  return `${[`preflight: ${countText(checks)}`, ...lines].join("\n")}\n`;
}

function countText(checks: readonly PreflightCheck[]): string {
  const counts = WORST_FIRST.map(
    (state) => [state, checks.filter((check) => check.state === state).length] as const,
  );
  const named = counts.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
  return named.length === 0 ? "nothing was looked at" : named.join(", ");
}
