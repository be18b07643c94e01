import type { Client } from "@sampan/api";
import { humanBytes, humanDuration } from "./amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";
import { fitWidth, oneLine } from "./text-width.ts";

export type Rollout = Awaited<ReturnType<Client["getRollout"]>>;

const POLL_MS = 250;
const ENDED = new Set(["succeeded", "failed", "cancelled", "returned", "superseded"]);
export const MARK = { pending: " ", running: "…", done: "✓", failed: "✗", skipped: "-" } as const;

/** Waits for a rollout, telling each step and acceptance check as it ends. Throws CLI_ROLLOUT_FAILED unless it succeeds. */
export async function followRollout(
  context: CommandContext,
  client: Client,
  rolloutId: string,
): Promise<Rollout> {
  const told = new Set<string>();
  return await context.whenInterrupted(
    `The rollout goes on: sampan rollout follow ${rolloutId}`,
    async () => {
      for (;;) {
        const rollout = await client.getRollout({ params: { id: rolloutId } }, { signal: context.signal });
        for (const [key, line] of [...stepLines(rollout), ...checkLines(rollout)]) {
          if (told.has(key)) continue;
          told.add(key);
          context.terminal.overwrite();
          context.remark(line);
        }
        showRunning(context, rollout);
        if (ENDED.has(rollout.state)) context.terminal.overwrite();
        if (rollout.state === "succeeded") return rollout;
        if (ENDED.has(rollout.state)) throw rolloutProblem(rollout);
        await context.clock.sleep(POLL_MS, context.signal);
      }
    },
  );
}

/** For a person: what is under way, and how far it is, in a line that is written over. */
function showRunning(context: CommandContext, rollout: Rollout): void {
  if (context.isTerse || !context.terminal.isInteractive) return;
  const running = rollout.results
    .filter(({ state }) => state === "running")
    .map(({ stepId, progress }) => {
      const step = rollout.plan.steps.find((one) => one.id === stepId);
      return `${targetOf(step, stepId)}${progress === undefined ? "" : `  ${amountOf(progress)}`}`;
    });
  context.terminal.overwrite(
    running.length === 0
      ? undefined
      : fitWidth(`${MARK.running} ${running.join("; ")}`, context.terminal.columns - 1),
  );
}

function amountOf({ done, total }: { readonly done: number; readonly total?: number | undefined }): string {
  if (total === undefined || total === 0) return humanBytes(done);
  return `${Math.min(100, Math.floor((100 * done) / total))}% of ${humanBytes(total)}`;
}

function rolloutProblem(rollout: Rollout) {
  const failed = rollout.results.find((result) => result.error !== undefined);
  return cliProblem("CLI_ROLLOUT_FAILED", `the rollout ended as ${rollout.state}`, {
    why: rollout.message ?? failed?.error ?? "see its record",
    hint:
      rollout.recordId === undefined
        ? "sampan record list; sampan component logs APP COMPONENT"
        : `sampan record show ${rollout.recordId}; sampan component logs APP COMPONENT`,
  });
}

/** A key for each thing that is told once, and the line that tells it. */
export function stepLines(rollout: Rollout): [string, string][] {
  return rollout.results
    .filter(({ state }) => state !== "pending" && state !== "running")
    .map((result) => {
      const step = rollout.plan.steps.find((one) => one.id === result.stepId);
      const took = tookOf(result);
      const error = result.error === undefined ? "" : `  ${oneLine(result.error)}`;
      return [
        `${result.stepId} ${result.state}`,
        `${MARK[result.state]} ${targetOf(step, result.stepId)}${took}${error}`,
      ];
    });
}

function checkLines(rollout: Rollout): [string, string][] {
  return rollout.checks
    .filter(({ state }) => state !== "pending")
    .map(({ name, state, message }) => [
      `check ${name} ${state}`,
      `${state === "passed" ? "✓" : "✗"} acceptance: ${name}${message === undefined ? "" : `  ${oneLine(message)}`}`,
    ]);
}

/** How long a step took, as the end of a line. */
export function tookOf({
  startedAt,
  endedAt,
}: {
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
}): string {
  if (startedAt === undefined || endedAt === undefined) return "";
  return `  ${humanDuration(Date.parse(endedAt) - Date.parse(startedAt))}`;
}

const WORDS: Readonly<Record<string, string>> = {
  "network.ensure": "network",
  "network.remove": "network removed",
  "volume.ensure": "volume",
  "image.ensure": "image",
  "data.capture": "data captured",
  "data.restore": "data put back",
  "data.resume": "data taken up",
  "instance.create": "started",
  "instance.ready": "ready",
  "instance.complete": "ended",
  "instance.serve": "serving",
  "instance.remove": "removed",
};

function targetOf(step: Rollout["plan"]["steps"][number] | undefined, id: string): string {
  if (step === undefined) return id;
  const component = step.component === undefined ? "" : ` ${step.component}`;
  return `${id} ${WORDS[step.kind] ?? step.kind}${component}${step.index === undefined ? "" : ` ${step.index}`}`;
}
