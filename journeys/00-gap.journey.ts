import assert from "node:assert/strict";
import { afterAll, beforeAll, test } from "vitest";
import { imagesOf } from "./src/engine-api.ts";
import { assertNoLink, openOutside } from "./src/no-link.ts";
import { SiteEngine } from "./src/site-engine.ts";
import { makeStoryFolder, removeStoryFolder, type StoryFolder } from "./src/story-folder.ts";

/** The ground that the other journeys stand on: a site that is empty, and cut off. */

let story: StoryFolder;
let site: SiteEngine;

beforeAll(async () => {
  story = await makeStoryFolder();
  site = await SiteEngine.start(story);
});

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await removeStoryFolder(story);
});

test("the site's engine is empty", async () => {
  assert.deepEqual(await imagesOf(site.dockerHost), []);
});

test("nothing outside can be reached from the site, by address or by name", async () => {
  await using outside = await openOutside();
  await assertNoLink(site, outside);
});

test("the site's engine comes back after it was stopped", async () => {
  await site.stopDaemon();
  await assert.rejects(imagesOf(site.dockerHost));
  await site.startDaemon();
  assert.deepEqual(await imagesOf(site.dockerHost), []);
});
