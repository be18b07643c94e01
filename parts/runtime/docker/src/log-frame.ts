import type { LogLine } from "@sampan/runtime";
import type { Frame } from "./demux.ts";

const LINE_BYTES_MAX = 16 * 1024;
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;

/** Lines of one frame of a log with time stamps. The engine cuts lines at 16 KiB, each piece with a stamp of its own; so a longer line becomes several. */
export function parseLogFrame({ stream, data }: Frame): readonly LogLine[] {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("utf8");
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
  let at = "";
  return lines.flatMap((line) => {
    const stamp = STAMP.exec(line);
    at = stamp?.[1] ?? at;
    const rest = line.slice(stamp?.[0].length ?? 0).replace(/\r$/, "");
    return cutLine(rest).map((piece) => ({ at, stream, text: piece }));
  });
}

function cutLine(text: string): readonly string[] {
  if (Buffer.byteLength(text) <= LINE_BYTES_MAX) return [text];
  const pieces: string[] = [];
  let piece = "";
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > LINE_BYTES_MAX) {
      pieces.push(piece);
      piece = "";
      bytes = 0;
    }
    piece += character;
    bytes += size;
  }
  return [...pieces, piece];
}
