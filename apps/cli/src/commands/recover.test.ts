import { expect, test } from "vitest";
import { runAgainst } from "../test-outside.ts";

const LOST = { id: "app_1", slug: "default-shop", generation: 7, components: ["db", "web"] };
const ANSWERS = {
  "GET /teams": { items: [{ id: "team_1", name: "default" }] },
  "POST /apps/recover": { items: [LOST] },
  "POST /apps/recover/app_1": { appId: "app_1", recordId: "rec_1", remarks: ["one is stopped", "another"] },
};

test("what a lost database forgot is listed", async () => {
  const ran = await runAgainst(ANSWERS, ["app", "recover"]);
  expect(ran.out).toMatch(/default-shop\s+app_1\s+7\s+db, web/);
  const none = await runAgainst({ "POST /apps/recover": { items: [] } }, ["app", "recover"]);
  expect(none.out).toBe("The engine runs nothing that this site does not know.");
});

test("an app is taken up again in a team, and what to know about it is said", async () => {
  const ran = await runAgainst(ANSWERS, ["app", "recover", "app_1", "--name", "shop"]);
  expect(ran.exitCode).toBe(0);
  expect(ran.out).toMatch(/taken up again.*\n- one is stopped\n- another$/s);
  expect(ran.asked.at(-1)?.body).toEqual({ teamId: "team_1", name: "shop" });
  const plain = await runAgainst(ANSWERS, ["app", "recover", "app_1", "--json"]);
  expect(plain.asked.at(-1)?.body).toEqual({ teamId: "team_1" });
  expect(JSON.parse(plain.out)).toEqual(ANSWERS["POST /apps/recover/app_1"]);
});
