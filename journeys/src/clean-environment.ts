import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

export const REPOSITORY = join(import.meta.dirname, "..", "..");

/**
 * The environment of what a story starts: no proxy, token or setting of the person who started it gets in, and the
 * story's id is in it, so that a killed story's processes are found.
 */
export function cleanEnvironment(storyId: string): Readonly<Record<string, string>> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
    LANG: "C.UTF-8",
    SAMPAN_STORY: storyId,
    // These as `npm start` gives them to the server.
    MALLOC_ARENA_MAX: "2",
    MALLOC_MMAP_THRESHOLD_: "1048576",
    UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE ?? String(Math.max(8, availableParallelism() * 2)),
  };
}
