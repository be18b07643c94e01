/**
 * The engine's multiplexed output of logs and exec (Engine API, "Stream format"):
 *
 *     ┌──────┬───────────┬──────────────┬───────────────┐
 *     │ kind │ 0   0   0 │ size, BE u32 │ size bytes …  │   kind 0 stdin, 1 stdout, 2 stderr
 *     └──────┴───────────┴──────────────┴───────────────┘
 */
import type { Bytes } from "@sampan/content";
import { runtimeProblem } from "@sampan/runtime";

export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

const HEADER_BYTES = 8;
const FRAME_BYTES_MAX = 4 * 1024 * 1024;

/** Whole frames, of at most 4 MiB each. Throws RUNTIME_REFUSED when the stream is not of this form or ends inside a frame. */
export async function* demux(source: Bytes): AsyncGenerator<Frame> {
  let rest = Buffer.alloc(0);
  for await (const piece of source) {
    rest = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    let at = 0;
    while (rest.length - at >= HEADER_BYTES) {
      const size = rest.readUInt32BE(at + 4);
      const kind = rest.readUInt8(at);
      if (kind > 2 || size > FRAME_BYTES_MAX) throw malformed(`a frame of kind ${kind} and ${size} bytes`);
      if (rest.length - at < HEADER_BYTES + size) break;
      const data = rest.subarray(at + HEADER_BYTES, at + HEADER_BYTES + size);
      at += HEADER_BYTES + size;
      yield { stream: kind === 2 ? "stderr" : "stdout", data };
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw malformed(`${rest.length} bytes of a frame at the end`);
}

function malformed(why: string): Error {
  return runtimeProblem("RUNTIME_REFUSED", "the engine's output stream is not in the known form", { why });
}
