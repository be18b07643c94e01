import { runtimeProblem } from "@sampan/runtime";
import type { EngineClient } from "./engine-client.ts";
import { runCommand } from "./exec.ts";
import type { HttpAsk } from "./http-ask.ts";

type TcpAsk = Pick<HttpAsk, "host" | "port" | "timeoutMs" | "signal">;

const NOTHING_THERE = 96;
const NO_CONNECTION = 97;

/** Sends REQUEST to HOST:PORT with whatever program the image has, and writes the raw reply. */
export const ASK_SCRIPT = `
if command -v bash >/dev/null 2>&1; then
  exec bash -c 'exec 3<>"/dev/tcp/$HOST/$PORT" || exit 97; [ -z "$REQUEST" ] || { printf %s "$REQUEST" >&3; cat <&3; }' 2>/dev/null
elif command -v perl >/dev/null 2>&1; then
  exec perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new("$ENV{HOST}:$ENV{PORT}") or exit 97; if($ENV{REQUEST} ne ""){print $s $ENV{REQUEST}; print while <$s>}'
elif command -v python3 >/dev/null 2>&1; then
  exec python3 -c '
import os,socket,sys
try: s=socket.create_connection((os.environ["HOST"],int(os.environ["PORT"])))
except OSError: sys.exit(97)
r=os.environ["REQUEST"].encode()
if r:
  s.sendall(r)
  for p in iter(lambda: s.recv(65536), b""): sys.stdout.buffer.write(p)'
elif command -v node >/dev/null 2>&1; then
  exec node -e 'const {HOST,PORT,REQUEST}=process.env;const s=require("net").connect(+PORT,HOST,()=>{if(REQUEST)s.end(REQUEST);else process.exit(0)});s.on("error",()=>process.exit(97));s.pipe(process.stdout)'
elif command -v nc >/dev/null 2>&1; then
  if [ -z "$REQUEST" ]; then nc -z "$HOST" "$PORT" || exit 97; exit 0; fi
  printf %s "$REQUEST" | nc "$HOST" "$PORT" || exit 97
else exit 96; fi
`;

/** Asks a port of a container from inside of it, for engines whose container addresses this machine does not reach. The image must have a shell, and one of bash, perl, python3, node, nc. */
export async function askHttpInside(
  client: EngineClient,
  container: string,
  ask: HttpAsk,
): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const headers = {
    host: `${ask.host}:${ask.port}`,
    connection: "close",
    ...(ask.body === undefined ? {} : { "content-length": String(Buffer.byteLength(ask.body)) }),
    ...ask.headers,
  };
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
  // Of HTTP/1.0, so that the reply is not sent in chunks.
  const request = `${ask.method} ${ask.path} HTTP/1.0\r\n${lines.join("")}\r\n${ask.body ?? ""}`;
  const raw = await runInside(client, container, {
    ...ask,
    request,
    outputBytesMax: ask.bodyBytesMax + 65_536,
  });
  const match = /^HTTP\/1\.\d (\d{3})[^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n/.exec(raw);
  if (match === null) throw new Error("the reply is not HTTP");
  return {
    status: Number(match[1]),
    body: Buffer.from(raw.slice(match[0].length)).subarray(0, ask.bodyBytesMax),
  };
}

export async function askTcpInside(client: EngineClient, container: string, ask: TcpAsk): Promise<void> {
  await runInside(client, container, { ...ask, request: "", outputBytesMax: 0 });
}

async function runInside(
  client: EngineClient,
  container: string,
  ask: TcpAsk & { readonly request: string; readonly outputBytesMax: number },
): Promise<string> {
  const { exitCode, stdout } = await runCommand(client, container, ["sh", "-c", ASK_SCRIPT], {
    timeoutMs: ask.timeoutMs,
    outputBytesMax: ask.outputBytesMax,
    env: { HOST: ask.host, PORT: String(ask.port), REQUEST: ask.request },
    ...(ask.signal === undefined ? {} : { signal: ask.signal }),
  });
  if (exitCode === 0) return stdout;
  if (exitCode === NO_CONNECTION) throw new Error(`nothing listens at port ${ask.port}`);
  throw runtimeProblem("RUNTIME_NO_ANSWER", `port ${ask.port} cannot be asked`, {
    why:
      exitCode === NOTHING_THERE || exitCode === 126 || exitCode === 127
        ? "this machine does not reach the container's address, and its image has no program that could ask from inside"
        : `the program that asks from inside ended with ${exitCode}`,
    hint: "Use an exec probe.",
  });
}
