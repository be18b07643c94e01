import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./place.ts";

const ASKERS_PER_URL = 2;
/** Asked before the act begins and after it has ended, too: a shop that answers is what is to stay so. */
const AROUND_MS = 1_000;

export interface LoadResult {
  readonly asked: number;
  /** What went wrong, a line for each request that was not answered with 200. */
  readonly failed: readonly string[];
}

/** Asks for the addresses as customers do, again and again, one after the other for each asker, while something is done. */
export async function underLoad(
  place: Pick<Place, "fetch">,
  urls: readonly string[],
  act: () => Promise<unknown>,
): Promise<LoadResult> {
  const failed: string[] = [];
  let asked = 0;
  let goesOn = true;
  const asker = async (url: string) => {
    while (goesOn) {
      asked += 1;
      const fault = await faultOf(place, url);
      if (fault !== undefined) failed.push(fault);
    }
  };
  const askers = urls.flatMap((url) => Array.from({ length: ASKERS_PER_URL }, () => asker(url)));
  try {
    await sleep(AROUND_MS);
    await act();
    await sleep(AROUND_MS);
  } finally {
    goesOn = false;
    await Promise.all(askers);
  }
  return { asked, failed };
}

async function faultOf(place: Pick<Place, "fetch">, url: string): Promise<string | undefined> {
  try {
    const answer = await place.fetch(url);
    const text = await answer.text();
    return answer.status === 200 ? undefined : `${url}: ${answer.status} ${text.slice(0, 100)}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `${url}: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
