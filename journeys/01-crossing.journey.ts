import { afterAll, beforeAll, test } from "vitest";
import { ACTS } from "./src/acts.ts";
import { Crossing } from "./src/crossing.ts";

/** The story that Sampan is for, as `npm run demo` tells it. Every act asserts what it shows. */

let crossing: Crossing;
let broken: string | undefined;

beforeAll(async () => {
  crossing = await Crossing.open();
});

afterAll(async () => {
  await crossing?.[Symbol.asyncDispose]();
});

for (const [index, act] of ACTS.entries()) {
  test(`${index + 1}. ${act.where}: ${act.title}`, async () => {
    if (broken !== undefined) throw new Error(`the story ended at: ${broken}`);
    broken = act.title;
    await act.run(crossing);
    broken = undefined;
  });
}
