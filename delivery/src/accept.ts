import type { ObservedInstance } from "@sampan/plan";
import { describeError, isProblem } from "@sampan/problem";
import type { Driver, InstanceRef, InstanceReply } from "@sampan/runtime";
import { type AcceptanceCheck, type App, durationMs } from "@sampan/template";

/** How one acceptance check went. `message` says what was expected and what was found. */
export interface CheckResult {
  readonly name: string;
  readonly state: "passed" | "failed";
  readonly message?: string;
  readonly tookMs?: number;
}

export interface AcceptParts {
  readonly driver: Driver;
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Acceptance checks are kept with the steps of a rollout, under these ids. */
export const CHECK_PREFIX = "check:";

const WITHIN_DEFAULT_MS = 60_000;
const RETRY_MS = 500;
const TRY_TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 64 * 1024;

/**
 * Runs the app's acceptance checks, in order, against what serves now. Each is repeated until it passes or its time is over.
 * All are run, whatever the earlier ones gave. Throws when the engine does not answer: that says nothing about the app.
 */
export async function accept(
  parts: AcceptParts,
  target: { readonly appId: string; readonly app: App; readonly components: ReadonlySet<string> },
  options: {
    readonly signal: AbortSignal;
    readonly onBegin?: (name: string, position: number) => Promise<void>;
    /** Called as soon as a check has its result. */
    readonly onResult: (result: CheckResult, position: number) => Promise<void>;
  },
): Promise<readonly CheckResult[]> {
  const checks = (target.app.acceptance ?? []).filter((check) => target.components.has(componentOf(check)));
  const results: CheckResult[] = [];
  for (const [position, check] of checks.entries()) {
    await options.onBegin?.(check.name, position);
    const result = await runCheck(parts, target, check, options.signal);
    results.push(result);
    await options.onResult(result, position);
  }
  return results;
}

function componentOf(check: AcceptanceCheck): string {
  return (check.http ?? check.tcp ?? check.exec)?.component ?? "";
}

async function runCheck(
  parts: AcceptParts,
  target: { readonly appId: string; readonly app: App },
  check: AcceptanceCheck,
  signal: AbortSignal,
): Promise<CheckResult> {
  const startedMs = parts.nowMs();
  const withinMs = check.within === undefined ? WITHIN_DEFAULT_MS : durationMs(check.within);
  // The pauses count too: a clock that is set back meanwhile must not make it go on for ever.
  for (let pausedMs = 0; ; pausedMs += RETRY_MS) {
    signal.throwIfAborted();
    const fault = await tryCheck(parts, target, check, signal);
    const tookMs = Math.max(pausedMs, parts.nowMs() - startedMs);
    if (fault === undefined) return { name: check.name, state: "passed", tookMs };
    if (tookMs >= withinMs) return { name: check.name, state: "failed", message: fault, tookMs };
    await parts.sleep(RETRY_MS, signal);
  }
}

/** What is wrong, or undefined when the check passes. */
async function tryCheck(
  parts: AcceptParts,
  target: { readonly appId: string; readonly app: App },
  check: AcceptanceCheck,
  signal: AbortSignal,
): Promise<string | undefined> {
  const component = componentOf(check);
  try {
    const observed = await parts.driver.observe({ id: target.appId, images: [] }, signal);
    const instance = observed.instances.find((one) => one.component === component && isServing(one));
    if (instance === undefined) return `no instance of ${component} is ready`;
    const ref: InstanceRef = { app: target.appId, component, id: instance.id };
    if (check.exec !== undefined) return await tryExec(parts.driver, ref, check.exec, signal);
    const reply = await parts.driver.request(ref, requestOf(target.app, check), signal);
    return check.http === undefined ? undefined : judgeReply(check.http, reply);
  } catch (error) {
    signal.throwIfAborted();
    if (isProblem(error, "RUNTIME_UNREACHABLE")) throw error;
    return describeError(error);
  }
}

function isServing(instance: ObservedInstance): boolean {
  return instance.serving && instance.state === "ready";
}

function requestOf(app: App, check: AcceptanceCheck): Parameters<Driver["request"]>[1] {
  const target = check.http ?? check.tcp;
  const port = app.components[target?.component ?? ""]?.ports?.[target?.port ?? ""]?.port ?? 0;
  if (check.http === undefined) return { kind: "tcp", port, timeoutMs: TRY_TIMEOUT_MS };
  return {
    kind: "http",
    port,
    path: check.http.path ?? "/",
    method: check.http.method ?? "GET",
    headers: check.http.headers ?? {},
    ...(check.http.body === undefined ? {} : { body: check.http.body }),
    timeoutMs: TRY_TIMEOUT_MS,
  };
}

function judgeReply(
  expected: NonNullable<AcceptanceCheck["http"]>,
  reply: InstanceReply,
): string | undefined {
  if (
    expected.status === undefined
      ? reply.status < 200 || reply.status > 399
      : reply.status !== expected.status
  ) {
    return `expected status ${expected.status ?? "200 to 399"}, found ${reply.status}`;
  }
  if (expected.contains !== undefined && !reply.body.includes(expected.contains)) {
    return `the answer does not contain ${JSON.stringify(expected.contains)}`;
  }
  return undefined;
}

async function tryExec(
  driver: Driver,
  ref: InstanceRef,
  expected: NonNullable<AcceptanceCheck["exec"]>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await driver.exec(ref, expected.command, {
    timeoutMs: TRY_TIMEOUT_MS,
    outputBytesMax: OUTPUT_BYTES_MAX,
    signal,
  });
  const wanted = expected.exitCode ?? 0;
  if (result.exitCode !== wanted) return `expected exit code ${wanted}, found ${result.exitCode}`;
  if (expected.contains !== undefined && !result.stdout.includes(expected.contains)) {
    return `the output does not contain ${JSON.stringify(expected.contains)}`;
  }
  return undefined;
}
