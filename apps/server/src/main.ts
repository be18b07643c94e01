import { isProblem, renderProblem } from "@sampan/problem";
import { readConfig } from "./config.ts";
import { startServer } from "./server.ts";

try {
  const config = readConfig(process.env, process.argv.slice(2));
  const server = await startServer(config);
  process.stdout.write(
    `${JSON.stringify({ listening: server.url, data: config.dataFolder, driver: server.parts.driverName })}\n`,
  );
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130);
      stopping = true;
      server.close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  if (!isProblem(error)) throw error;
  process.stderr.write(`${renderProblem(error)}\n`);
  process.exitCode = error.kind.exit;
}
