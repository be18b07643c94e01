import { demux } from "./demux.ts";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineContainer } from "./engine-types.ts";
import { hideSecrets } from "./labels.ts";

const LINES_MAX = 20;
const CHARACTERS_MAX = 4096;

/** The last lines that a container wrote, secrets hidden: at most 20 lines and 4 KiB. Empty when there are none. */
export async function readLogTail(scope: EngineScope, container: EngineContainer): Promise<string> {
  const source = scope.client.stream({
    method: "GET",
    path: `/containers/${container.Id}/logs`,
    query: { stdout: true, stderr: true, tail: LINES_MAX },
    what: "read a log",
    accept: [404, 409],
    timeoutMs: 10_000,
  });
  let text = "";
  for await (const { data } of demux(source))
    text = (text + Buffer.from(data).toString("utf8")).slice(-2 * CHARACTERS_MAX);
  return hideSecrets(text, container.Config).trimEnd().slice(-CHARACTERS_MAX);
}
