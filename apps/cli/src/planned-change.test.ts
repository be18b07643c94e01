import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Answers, type Person, problemReply, runAgainst } from "./test-outside.ts";

const AT = "2026-03-01T08:00:00.000Z";
const DIGEST = `sha256:${"a".repeat(64)}`;
const PLAN_DIGEST = `sha256:${"b".repeat(64)}`;
const PLAN = {
  id: "p",
  generation: 3,
  base: 2,
  digest: PLAN_DIGEST,
  steps: [],
  notes: [],
  text: "plan for shop: nothing to do\n",
};
const APP = {
  id: "app_1",
  name: "shop",
  teamId: "team_1",
  teamName: "default",
  installations: [
    { id: "ins_1", templateId: "shop-1", templateName: "shop", version: "2.9", releaseDigest: DIGEST },
  ],
};
const CHANGE = {
  path: "components.web.env.A",
  component: "web",
  what: "env A",
  action: "keep",
  why: "a rule",
  before: "1",
  offered: "2",
  after: "1",
  secret: false,
  decided: false,
};
const PASS = { id: "disk", title: "disk", state: "pass", found: "9 GB free", wanted: "1 GB" };
const FAIL = {
  id: "port:80/tcp",
  title: "port 80",
  state: "fail",
  found: "held by nginx",
  wanted: "free",
  remedy: "Stop nginx.",
};
const FORM = {
  parameters: [
    {
      group: "",
      items: [
        { name: "title", type: "string", title: "Title", default: "Shop" },
        { name: "secret", type: "password", title: "Secret", required: true },
      ],
    },
  ],
  modules: [{ name: "search", title: "Search", default: true }],
  generated: [],
};

type Body = Readonly<Record<string, unknown>>;

const KNOWN: Answers = {
  "GET /teams": { items: [{ id: "team_1", name: "default" }] },
  "GET /apps": { items: [APP] },
  "GET /apps/app_1": {
    ...APP,
    spec: {
      parameters: { secret: { type: "password" } },
      modules: { search: { title: "Search", components: ["search"] }, bare: { components: ["a", "b"] } },
    },
    componentsView: [
      { name: "search", off: true },
      { name: "a", off: false },
      { name: "b", off: false },
    ],
  },
  "GET /templates": { items: [{ id: "shop-1", name: "shop" }] },
  "GET /templates/shop-1": {
    releaseList: [{ digest: DIGEST, version: "3.0", replaced: false, templateName: "shop" }],
  },
  "GET /snapshots/snp_1": { id: "snp_1", appName: "shop", startedAt: AT, sizeBytes: 5, volumes: [] },
  "GET /records": {
    items: [
      { id: "rec_1", kind: "upgrade", canRollBack: true, from: { version: "2.9" }, to: { version: "3.0" } },
    ],
  },
  "GET /rollouts/ro_1": {
    id: "ro_1",
    appId: "app_1",
    state: "succeeded",
    plan: PLAN,
    results: [],
    checks: [],
    startedAt: AT,
  },
  [`GET /releases/${encodeURIComponent(DIGEST)}/form`]: FORM,
  [`POST /releases/${encodeURIComponent(DIGEST)}/form/check`]: checkForm,
};

function checkForm({ body }: { body: { parameters: Body } }) {
  const isShort = body.parameters.secret === "short";
  return {
    faults: isShort ? [{ path: "parameters.secret", message: "at least 8 characters" }] : [],
    modules: [],
    values: {},
    asked: ["title", "secret"],
  };
}

/** A server that plans the same for every wish; `more` is what its answers say beside. */
function server(more: Body = {}, policy: Body = { noteRequired: false }): Answers {
  const reply = ({ body }: { body: Body }) => ({
    plan: PLAN,
    preflight: [PASS],
    changes: [CHANGE],
    pulledIn: [{ component: "db", because: "web needs it" }],
    remarks: [],
    ...more,
    ...(body.dryRun === true ? {} : { rolloutId: "ro_1" }),
  });
  return {
    ...KNOWN,
    "GET /site/policy": policy,
    "POST /installations": reply,
    "POST /installations/ins_1/upgrade": reply,
    "POST /apps/app_1/modules": reply,
    "POST /apps/app_1/snapshots": reply,
    "POST /snapshots/snp_1/restore": reply,
    "POST /records/rec_1/rollback": reply,
  };
}

/** What the changing routes were asked. */
async function posts(answers: Answers, argv: readonly string[], person?: Person) {
  const ran = await runAgainst(answers, argv, person);
  const bodies = ran.asked
    .filter(({ method, path }) => method === "POST" && !path.endsWith("/check"))
    .map(({ body }) => body as Body);
  return { ...ran, bodies };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sampan-plan-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test("an upgrade shows what it would do, asks, and does what was shown", async () => {
  const ran = await posts(server(), ["upgrade", "shop", "--edit", "components.web.env.A=3", "--take", "x"], {
    answers: ["y"],
  });
  expect([ran.exitCode, ran.out]).toEqual([0, "Nothing had to change."]);
  expect(ran.err).toContain(
    "preflight: all 1 checks pass\n\nweb\n  = env A  1 (offered: 2)  a rule\n\nKept; to take the new value:\n  --take components.web.env.A\n\nAlso db: web needs it\nplan for shop",
  );
  expect(ran.err).toContain("Upgrade shop in shop from 2.9 to 3.0? [y/N]");
  const decisions = { "components.web.env.A": { edit: 3 }, x: "take" };
  expect(ran.bodies).toMatchObject([
    { dryRun: true, decisions },
    { dryRun: false, base: 2, expect: PLAN_DIGEST, decisions },
  ]);
});

test("an upgrade that is only planned asks nothing and does nothing", async () => {
  const ran = await posts(server(), ["upgrade", "shop", "--plan", "--json"]);
  expect(JSON.parse(ran.out)).toMatchObject({ changes: [CHANGE], plan: PLAN });
  expect(ran.bodies).toMatchObject([{ dryRun: true }]);
});

const upgrade = (...more: string[]) => ["upgrade", "shop", "--plan", ...more];
test.for([
  [upgrade(), { onFailure: "return", restoreOnReturn: false }],
  [upgrade("--hold", "-c", "web", "-c", "db"), { onFailure: "hold", components: ["web", "db"] }],
  [upgrade("--capture", "--restore-on-return"), { capture: "all", restoreOnReturn: true }],
  [upgrade("--no-capture"), { capture: "none" }],
  [upgrade("--capture", "db, cache"), { capture: ["db", "cache"] }],
  [upgrade("--map", "web=site", "--map", "api=old-api"), { mapping: { web: "site", api: "old-api" } }],
  [["rollback", "shop", "--plan"], { restoreData: false, captureFirst: true, removeAdded: false }],
  [
    ["rollback", "shop", "--plan", "--restore-data", "--no-capture-first"],
    { restoreData: true, captureFirst: false },
  ],
  [["rollback", "shop", "--plan", "--snapshot", "snp_9"], { restoreData: true, snapshot: "snp_9" }],
  [
    ["app", "modules", "shop", "--plan", "-m", "search=on", "-m", "bare=off"],
    { on: ["search"], off: ["bare"] },
  ],
  [["snapshot", "take", "shop", "--plan", "-c", "db"], { components: ["db"] }],
  [
    ["snapshot", "restore", "snp_1", "--plan", "--volume", "db/data", "--no-capture-first"],
    { volumes: [{ component: "db", volume: "data" }], captureFirst: false },
  ],
] as const)("%j asks for that", async ([argv, body]) => {
  const ran = await posts(server(), argv);
  expect([ran.exitCode, ran.bodies]).toEqual([0, [expect.objectContaining({ dryRun: true, ...body })]]);
  if (argv.includes("--plan") && argv[0] === "upgrade" && !argv.some((one) => one.includes("capture")))
    expect(ran.bodies[0]).not.toHaveProperty("capture");
});

test.for([
  [["snapshot", "restore", "snp_1", "--volume", "data"], "data is not COMPONENT/VOLUME"],
  [["upgrade", "shop", "--map", "web"], "web is not name=value"],
  [["app", "modules", "shop", "-m", "search=maybe"], "module search can be on or off, not maybe"],
] as const)("%j is a usage fault, and nothing is asked of the app", async ([argv, part]) => {
  const ran = await posts(server(), argv);
  expect([ran.exitCode, ran.bodies]).toEqual([2, []]);
  expect(ran.err).toContain(part);
});

test("modules are listed with what they are", async () => {
  const { out } = await runAgainst(server(), ["app", "modules", "shop"]);
  expect(out).toBe(
    "MODULE  TITLE   STATE  COMPONENTS\nsearch  Search  off    search\nbare            on     a, b",
  );
});

test("a preflight that fails ends it before anybody is asked; --ignore-preflight goes on", async () => {
  const failing = server({ preflight: [PASS, FAIL] });
  const ran = await posts(failing, ["upgrade", "shop"], { answers: [] });
  expect([ran.exitCode, ran.bodies]).toEqual([3, [expect.objectContaining({ dryRun: true })]]);
  expect(ran.err).toContain("error[CLI_PREFLIGHT_FAILED]");
  expect(ran.err).toContain("port 80: held by nginx, wanted free. Stop nginx.");
  const forced = await posts(failing, ["upgrade", "shop", "--ignore-preflight", "-y"]);
  expect([forced.exitCode, forced.bodies[1]]).toEqual([
    0,
    expect.objectContaining({ ignorePreflight: true }),
  ]);
});

test("where the site wants a note, a person is asked why; nobody is, where nobody is there", async () => {
  const strict = server({}, { noteRequired: true });
  const asked = await posts(strict, ["upgrade", "shop"], { answers: ["ticket 7", "y"] });
  expect([asked.exitCode, asked.bodies[1]]).toEqual([0, expect.objectContaining({ note: "ticket 7" })]);
  const given = await posts(strict, ["upgrade", "shop", "--note", "n"], { answers: ["y"] });
  expect(given.bodies[1]).toMatchObject({ note: "n" });
  const nobody = await posts(
    {
      ...strict,
      "POST /installations/ins_1/upgrade": ({ body }: { body: Body }) =>
        body.dryRun === true
          ? { plan: PLAN, preflight: [] }
          : problemReply(400, "NOTE_REQUIRED", "say why", { hint: "--note" }),
    },
    ["upgrade", "shop", "-y"],
  );
  expect(nobody.err).toContain("NOTE_REQUIRED");
  const plain = await posts(strict, ["snapshot", "take", "shop"], { answers: ["y"] });
  expect([plain.exitCode, plain.bodies[1]]).toEqual([
    0,
    expect.not.objectContaining({ note: expect.anything() }),
  ]);
});

test("a plan that was kept is applied later, as it was looked at, and without the secrets in its file", async () => {
  const path = join(await folder(), "plan.json");
  const words = [
    "upgrade",
    "shop",
    "-p",
    "title=Books",
    "-p",
    "secret=hunter22",
    "--save",
    path,
    "--note",
    "n",
  ];
  const saved = await posts(server(), words);
  expect([saved.exitCode, saved.bodies]).toEqual([0, [expect.objectContaining({ dryRun: true })]]);
  expect(saved.out).toContain(`Kept in ${path}: sampan apply ${path}`);
  expect(await readFile(path, "utf8")).not.toContain("hunter22");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const without = await posts(server(), ["apply", path, "-y"]);
  expect([without.exitCode, without.bodies]).toEqual([2, []]);
  expect(without.err).toContain("-p secret=…");
  const done = await posts(server(), ["apply", path], { answers: ["hunter22", "y"] });
  const parameters = { title: "Books", secret: "hunter22" };
  expect(done.exitCode).toBe(0);
  expect(done.bodies).toMatchObject([
    { dryRun: true, base: 2, expect: PLAN_DIGEST, parameters },
    { dryRun: false, base: 2, expect: PLAN_DIGEST, note: "n", parameters },
  ]);
  expect(done.err).toContain("Upgrade shop in shop from 2.9 to 3.0? [y/N]");
});

test("a site that has moved refuses a plan that was kept", async () => {
  const path = join(await folder(), "plan.json");
  await posts(server(), ["upgrade", "shop", "--save", path]);
  const moved = {
    ...server(),
    "POST /installations/ins_1/upgrade": () => problemReply(409, "APP_MOVED", "shop was changed since"),
  };
  const ran = await posts(moved, ["apply", path, "-y"]);
  expect([ran.exitCode, ran.err]).toEqual([5, expect.stringContaining("error[APP_MOVED]")]);
});

test("what a plan's file says of itself is not believed: what is shown is planned anew", async () => {
  const path = join(await folder(), "plan.json");
  await posts(server(), ["upgrade", "shop", "--save", path]);
  await writeFile(path, (await readFile(path, "utf8")).replace("nothing to do", "harmless"));
  const ran = await posts(server(), ["apply", path, "-y"]);
  expect([ran.exitCode, ran.err]).toEqual([0, expect.stringContaining("nothing to do")]);
  expect(ran.err).not.toContain("harmless");
});

test("a value written by hand in the place of a secret is not kept in a file", async () => {
  const path = join(await folder(), "plan.json");
  const secret = server({ changes: [{ ...CHANGE, secret: true }] });
  const ran = await posts(secret, ["upgrade", "shop", "--save", path, "--edit", `${CHANGE.path}=hunter22`]);
  expect([ran.exitCode, ran.err]).toEqual([2, expect.stringContaining("it is a secret")]);
  await expect(stat(path)).rejects.toThrow("ENOENT");
});

const KEPT = {
  format: "sampan-plan/1",
  wish: { verb: "upgrade", params: { id: "ins_1" }, body: {} },
  asks: [],
  base: 1,
  digest: PLAN_DIGEST,
  savedAt: AT,
  text: "",
};
test.for([
  ["no JSON", "{", "is no plan that was kept"],
  ["an app.yaml", "kind: App\n", "sampan apply -f FILE"],
  ["a newer format", { ...KEPT, format: "sampan-plan/2" }, "newer format"],
  ["another verb", { ...KEPT, wish: { ...KEPT.wish, verb: "removeApp" } }, "is no plan that was kept"],
  ["no digest", { ...KEPT, digest: "x" }, "is no plan that was kept"],
  ["no body", { ...KEPT, wish: { verb: "upgrade" } }, "is no plan that was kept"],
] as const)("%s is no plan", async ([, content, part]) => {
  const path = join(await folder(), "plan.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  const ran = await posts(server(), ["apply", path, "-y"]);
  expect([ran.exitCode, ran.bodies]).toEqual([2, []]);
  expect(ran.err).toContain(part);
});

test("an installer is asked for modules and parameters, again where an answer is not taken", async () => {
  const ran = await posts(server(), ["install", "shop"], { answers: ["n", "", "short", "long enough"] });
  expect(ran.exitCode).toBe(0);
  expect(ran.err).toContain("Module Search: install it? [Y/n]");
  expect(ran.err).toContain("Title [Shop]:");
  expect(ran.err).toContain("Secret: at least 8 characters");
  expect(ran.bodies[1]).toMatchObject({
    parameters: { secret: "long enough" },
    modules: { on: [], off: ["search"] },
    expect: PLAN_DIGEST,
  });
});

test("an installer who gave all answers is asked nothing", async () => {
  const words = ["install", "shop", "-p", "title=Books", "-p", "secret=hunter22", "-m", "search=on"];
  const ran = await posts(server(), words, { answers: [] });
  expect([ran.exitCode, ran.bodies[1]]).toEqual([
    0,
    expect.objectContaining({ parameters: { title: "Books", secret: "hunter22" } }),
  ]);
});
