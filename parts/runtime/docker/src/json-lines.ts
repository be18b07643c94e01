import type { Bytes } from "@sampan/content";
import { runtimeProblem } from "@sampan/runtime";

const LINE_BYTES_MAX = 1024 * 1024;

/** Parses a stream of JSON values, one a line, as the engine sends progress and events. A line of more than 1 MiB throws. */
export async function* jsonLines<T>(source: Bytes): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of source) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_BYTES_MAX)
      throw runtimeProblem("RUNTIME_REFUSED", "the engine sent a line that is too long to be right");
    for (const line of lines) if (line.trim() !== "") yield parseLine<T>(line);
  }
  if (rest.trim() !== "") yield parseLine<T>(rest);
}

function parseLine<T>(line: string): T {
  try {
    return JSON.parse(line) as T;
  } catch (cause) {
    throw runtimeProblem("RUNTIME_REFUSED", "the engine sent a line that is not JSON", { cause });
  }
}
