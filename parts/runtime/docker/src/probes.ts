import type { InstanceProbe } from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { Asker } from "./asker.ts";
import type { EngineClient } from "./engine-client.ts";
import { runCommand } from "./exec.ts";
import type { ProbeResult } from "./probe-state.ts";

const MESSAGE_CHARACTERS_MAX = 500;

/** Does one check of a running container. An abort throws, and an engine that is away: that says nothing of the container. All else is a result. */
export async function runProbe(
  by: { readonly client: EngineClient; readonly asker: Asker },
  target: { readonly id: string; readonly address: string },
  probe: InstanceProbe,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { check, timeoutMs } = probe;
  try {
    switch (check.kind) {
      case "http":
        return await probeHttp(by.asker, target, check, { timeoutMs, signal });
      case "tcp":
        await by.asker.tcp(target.id, { host: target.address, port: check.port, timeoutMs, signal });
        return { outcome: "pass", message: `port ${check.port} is open` };
      case "exec":
        return await probeExec(by.client, target.id, check.command, { timeoutMs, signal });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isProblem(error, "RUNTIME_UNREACHABLE")) throw error;
    return { outcome: "fail", message: cut(describe(error)) };
  }
}

async function probeHttp(
  asker: Asker,
  target: { readonly id: string; readonly address: string },
  check: Extract<InstanceProbe["check"], { kind: "http" }>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const { port, path, headers } = check;
  const { status } = await asker.http(target.id, {
    ...options,
    host: target.address,
    port,
    method: "GET",
    path,
    headers,
    bodyBytesMax: 1024,
  });
  const passed = check.status === undefined ? status >= 200 && status < 400 : status === check.status;
  const wanted = check.status === undefined ? "200 to 399" : String(check.status);
  const message = `GET :${port}${path} answers ${status}`;
  return passed ? { outcome: "pass", message } : { outcome: "fail", message: `${message}, not ${wanted}` };
}

async function probeExec(
  client: EngineClient,
  container: string,
  command: readonly string[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const result = await runCommand(client, container, command, { ...options, outputBytesMax: 4096 });
  if (result.exitCode === 0) return { outcome: "pass", message: "the command succeeds" };
  const words = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-3).join(" ");
  return {
    outcome: "fail",
    message: cut(`the command ends with ${result.exitCode}${words === "" ? "" : `: ${words}`}`),
  };
}

function describe(error: unknown): string {
  if (isProblem(error)) return error.why === undefined ? error.message : `${error.message} (${error.why})`;
  if (error instanceof AggregateError) return error.errors.map((one) => describe(one)).join(", ");
  return error instanceof Error ? error.message : String(error);
}

function cut(text: string): string {
  return text.length > MESSAGE_CHARACTERS_MAX ? `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…` : text;
}
