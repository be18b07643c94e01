import { isProblem, renderProblem } from "@sampan/problem";
import { readConfig } from "./config.ts";
import { DEV_USER, seed } from "./dev-seed.ts";
import { type RunningServer, startServer } from "./server.ts";

try {
  const config = readConfig(process.env, process.argv.slice(2));
  const server = await startServer(config);
  say({ listening: server.url, data: config.dataFolder, driver: server.parts.driverName });
  if (process.stderr.isTTY) process.stderr.write(nextSteps(server.url, config.isDev));
  const stop = new AbortController();
  closeOnSignal(server, stop);
  if (config.isDev) {
    say({ dev: { user: DEV_USER.userName, password: DEV_USER.password } });
    await seed(server.parts, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  }
} catch (error) {
  if (!isProblem(error)) throw error;
  process.stderr.write(`${renderProblem(error)}\n`);
  process.exitCode = error.kind.exit;
}

function say(facts: object): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

/** For a person at a terminal: what to do now. Programs read the line before. */
function nextSteps(url: string, isDev: boolean): string {
  const sampan = `npm run sampan -- --server ${url}`;
  const next = isDev
    ? `${sampan} login --user ${DEV_USER.userName}      (password ${DEV_USER.password})`
    : `${sampan} setup      (the first time; later: login)`;
  return `\nSampan serves at ${url}. In another terminal:\n\n    ${next}\n\nCtrl-C ends the server; apps go on running.\n\n`;
}

/** The first signal closes in order; the second ends at once. */
function closeOnSignal(server: RunningServer, stop: AbortController): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new DOMException("the server stops", "AbortError"));
      server.close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
}
