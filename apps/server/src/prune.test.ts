import { expect, onTestFinished, test } from "vitest";
import { pruneInputs } from "./prune.ts";
import { rolloutEnd, runApp, smallApp, testServer } from "./test-server.ts";

test("images that names stand for stay: those that run, and those that a rollback goes back to", async () => {
  const server = await testServer();
  onTestFinished(() => server.end());
  const imageOf = (name: string) =>
    [...server.engine.images.values()].find((image) => image.names.includes(name))?.id;
  const id = await runApp(server, smallApp("pinned"));
  expect((await pruneInputs(server.parts)).protect).toEqual([imageOf("bookstall-web:1.0")]);
  const app = smallApp("pinned", { image: "bookstall-web:1.1" });
  const { rolloutId = "" } = await server.admin.client.updateApp({ params: { id }, body: { app } });
  await rolloutEnd(server, rolloutId);
  expect(new Set((await pruneInputs(server.parts)).protect)).toEqual(
    new Set([imageOf("bookstall-web:1.0"), imageOf("bookstall-web:1.1")]),
  );
});
