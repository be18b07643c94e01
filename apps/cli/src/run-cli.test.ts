import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, onTestFinished, test } from "vitest";
import { CommandContext, type Outside } from "./command-context.ts";
import { commandsBelow, examplesOf } from "./command-options.ts";
import { makeProgram } from "./program.ts";
import { type Answers, CTRL_C, problemReply, runAgainst } from "./test-outside.ts";

const AT = "2026-03-01T08:00:00.000Z";
const TEAM = { id: "team_1", name: "default", title: "Default", createdAt: AT };
const APP = {
  id: "app_1",
  name: "shop",
  teamId: "team_1",
  teamName: "default",
  generation: 2,
  health: "running",
  pending: false,
  stopped: false,
  components: 2,
  installations: [],
  createdAt: AT,
  updatedAt: AT,
};
const SERVER: Answers = {
  "GET /teams": { items: [TEAM] },
  "GET /apps": { items: [APP] },
};

test("help lists every command, and unknown ones are answered with the nearest", async () => {
  const help = await runAgainst({}, ["--help"]);
  expect(help.exitCode).toBe(0);
  expect(help.out).toContain("sampan upgrade shop --plan; sampan upgrade shop");
  const wrong = await runAgainst({}, ["upgrad", "shop"]);
  expect([wrong.exitCode, wrong.out]).toEqual([2, ""]);
  expect(wrong.err).toBe(
    "error[CLI_USAGE]: unknown command 'upgrad'\n  why: Did you mean upgrade?\n  fix: sampan help; sampan help COMMAND",
  );
});

test.for([
  [["release", "list"], "sampan release --help"],
  [["component", "scale", "shop", "web", "x"], "sampan component scale --help"],
  [["--team", "sales", "login", "ada"], "sampan login --help"],
] as const)(
  "a command line that is not understood (%j) leads to the help of its command",
  async ([argv, fix]) => {
    const wrong = await runAgainst({}, [...argv]);
    expect([wrong.exitCode, wrong.err.split("\n").at(-1)]).toEqual([2, `  fix: ${fix}`]);
  },
);

test("every command has an example that the program itself understands", () => {
  const commands = commandsBelow(makeProgram(new CommandContext({ terminal: { columns: 100 } } as Outside)));
  const leaves = commands.filter((command) => command.commands.length === 0 && command.name() !== "help");
  expect(leaves.length).toBeGreaterThan(60);
  for (const leaf of leaves) {
    const names: string[] = [];
    for (let at: Command | null = leaf; at?.parent; at = at.parent) names.unshift(at.name());
    const line = names.join(" ").replace(/^site show$/, "site");
    expect(examplesOf(leaf).length, line).toBeGreaterThan(0);
    for (const example of examplesOf(leaf)) expect(example).toContain(`sampan ${line}`);
  }
});

test.for([
  [["--version"], 0, /^\d+\.\d+\.\d+$/],
  [["help", "import"], 0, /--on-server/],
  [["component", "scale", "--help"], 0, /Example:\n {2}sampan component scale/],
] as const)("sampan %j answers on stdout", async ([argv, exitCode, text]) => {
  const ran = await runAgainst({}, argv);
  expect([ran.exitCode, ran.err]).toEqual([exitCode, ""]);
  expect(ran.out).toMatch(text);
});

test.for([
  [["plan"], "required option '-f, --file <path>' not specified"],
  [["apply"], "name one thing to apply"],
  [["apply", "plan.json", "-f", "app.yaml"], "name one thing to apply"],
  [["apply", "plan.json", "--name", "shop"], "takes no --name"],
  [["apply", "/nowhere/plan.json"], "cannot read /nowhere/plan.json"],
  [["report", "verify", "x"], "required option '--key <file>' not specified"],
  [["site", "policy", "--note-required", "maybe"], "Allowed choices are on, off"],
  [["backup", "create", "shop", "-o", "/nowhere/x"], "there is no folder /nowhere"],
  [["app", "show"], "missing required argument 'app'"],
  [
    ["component", "scale", "shop", "web", "many"],
    "command-argument value 'many' is invalid for argument 'replicas'",
  ],
  [["export", "shop", "--level", "20"], "Give a whole number from 1 to 19"],
  [["import", "x", "--scope", "world"], "Allowed choices are team, enterprise"],
  [["app", "list", "--colour"], "unknown option '--colour'"],
  [["app", "list", "--server", "no address"], "no address is no address of a server"],
  [["apply", "-f", "/nowhere/app.yaml"], "cannot read /nowhere/app.yaml"],
] as const)("%j ends with 2, whatever the form of the problem", async ([argv, part]) => {
  const plain = await runAgainst(SERVER, argv);
  expect([plain.exitCode, plain.out]).toEqual([2, ""]);
  expect(plain.err).toContain(part);
  const json = await runAgainst(SERVER, [...argv, "--json"]);
  expect([json.exitCode, json.out]).toEqual([2, ""]);
  const { error } = JSON.parse(json.err);
  expect(error.code).toMatch(/^CLI_/);
  expect(`${error.message} ${error.why ?? ""}`).toContain(part);
});

test("a group without a word shows what there is", async () => {
  const ran = await runAgainst({}, ["app"]);
  expect([ran.exitCode, ran.out]).toEqual([2, ""]);
  expect(ran.err).toContain("list");
  expect(JSON.parse((await runAgainst({}, ["app", "--json"])).err.split("\n").at(-1) ?? "").error.code).toBe(
    "CLI_USAGE",
  );
});

test.for([
  [401, 3],
  [403, 3],
  [404, 4],
  [409, 5],
  [422, 2],
  [500, 1],
  [503, 7],
  [507, 7],
] as const)("status %d of the server becomes exit code %d", async ([status, exitCode]) => {
  const answers = {
    "GET /me": () => problemReply(status, "SOME_CODE", "it did not go", { why: "because", hint: "mend it" }),
  };
  const ran = await runAgainst(answers, ["whoami"]);
  expect([ran.exitCode, ran.err]).toEqual([
    exitCode,
    "error[SOME_CODE]: it did not go\n  why: because\n  fix: mend it",
  ]);
});

test("an exit code that the server names is taken", async () => {
  const answers = { "GET /me": () => problemReply(422, "SOME_CODE", "broken", { exit: 6 }) };
  expect((await runAgainst(answers, ["whoami"])).exitCode).toBe(6);
});

test("what is no Sampan server is told apart from none", async () => {
  const odd = await runAgainst({ "GET /me": () => new Response("<html>", { status: 502 }) }, ["whoami"]);
  expect([odd.exitCode, odd.err]).toEqual([7, expect.stringContaining("API_ODD_REPLY")]);
  const none = await runAgainst({}, ["whoami"], { env: { SAMPAN_SERVER: "http://127.0.0.1:9" } });
  expect(none.err).toContain("NOT_FOUND");
});

test("lists are tables for people and data with --json", async () => {
  const plain = await runAgainst(SERVER, ["app", "list"]);
  expect(plain.out).toBe("APP   TEAM     HEALTH   COMPONENTS  INSTALLED\nshop  default  running  2");
  const json = await runAgainst(SERVER, ["app", "list", "--json"]);
  expect(JSON.parse(json.out)).toEqual({ items: [APP] });
});

test("lists are read page after page", async () => {
  const answers: Answers = {
    "GET /apps": ({ query }: { query: Record<string, string> }) =>
      query.after === undefined ? { items: [APP], next: "2" } : { items: [{ ...APP, name: "bank" }] },
  };
  const ran = await runAgainst(answers, ["app", "list", "--json"]);
  expect(JSON.parse(ran.out).items.map((app: { name: string }) => app.name)).toEqual(["shop", "bank"]);
});

test("a name that stands for two apps is asked back; TEAM/NAME is one of them", async () => {
  const answers: Answers = {
    "GET /apps": ({ query }: { query: Record<string, string> }) => ({
      items: [APP, { ...APP, id: "app_2", teamName: "sales" }].filter(
        (app) => query.team === undefined || app.teamName === query.team,
      ),
    }),
    "GET /apps/app_2/text": { text: "kind: App\n", generation: 1 },
  };
  const ran = await runAgainst(answers, ["app", "text", "shop"]);
  expect([ran.exitCode, ran.err]).toEqual([2, expect.stringContaining("default/shop, sales/shop")]);
  expect((await runAgainst(answers, ["app", "text", "sales/shop"])).out).toBe("kind: App");
});

test("removal asks first: --yes agrees, a no or nobody there does not", async () => {
  const answers: Answers = { ...SERVER, "DELETE /apps/app_1": { plan: {}, appId: "app_1" } };
  const removed = (asked: readonly { method: string }[]) => asked.some(({ method }) => method === "DELETE");
  const nobody = await runAgainst(answers, ["app", "remove", "shop"]);
  expect([nobody.exitCode, removed(nobody.asked)]).toEqual([3, false]);
  expect(nobody.err).toContain("fix: say --yes");
  const no = await runAgainst(answers, ["app", "remove", "shop"], { answers: ["n"] });
  expect([no.exitCode, removed(no.asked)]).toEqual([3, false]);
  for (const person of [{ answers: ["y"] }, { answers: ["是"] }])
    expect((await runAgainst(answers, ["app", "remove", "shop"], person)).out).toBe("Removed shop.");
  expect((await runAgainst(answers, ["app", "remove", "shop", "-y"])).exitCode).toBe(0);
});

const JOB = { id: "job_1", kind: "check", title: "Check the hold", by: "admin", attempts: 1, createdAt: AT };

test("a job is followed: stages on stderr, the result on stdout", async () => {
  const states = [
    { state: "queued" },
    { state: "running", progress: { stage: "check", done: 10_000_000, total: 40_000_000 } },
    { state: "running", progress: { stage: "check", done: 30_000_000, total: 40_000_000 } },
    { state: "running", progress: { stage: "check", done: 35_000_000, total: 40_000_000 } },
    {
      state: "succeeded",
      progress: { stage: "check", done: 40_000_000, total: 40_000_000 },
      result: { text: "All is whole." },
    },
  ];
  const answers = () => {
    const left = [...states];
    return { "POST /hold/check": { jobId: "job_1" }, "GET /jobs/job_1": () => ({ ...JOB, ...left.shift() }) };
  };
  const plain = await runAgainst(answers(), ["hold", "check"]);
  expect([plain.exitCode, plain.out, plain.err]).toEqual([0, "All is whole.", "  check  38.1 MiB  1s"]);
  const person = await runAgainst(answers(), ["hold", "check"], { answers: [] });
  expect(person.overwritten.at(-2)).toBe("  check  87%  33.4 MiB of 38.1 MiB  47.7 MiB/s  0s left");
  for (const flag of ["--json", "--quiet"])
    expect((await runAgainst(answers(), ["hold", "check", flag])).err).toBe("");
});

test.for([
  ["BUNDLE_DAMAGED", undefined, 6],
  ["BUNDLE_NO_SPACE", undefined, 7],
  ["RELEASE_INVALID", 6, 6],
  ["SOMETHING", undefined, 1],
] as const)("a job that fails with %s ends the command as that", async ([code, exit, exitCode]) => {
  const error = { code, title: "it broke", ...(exit === undefined ? {} : { exit }) };
  const answers = { "GET /jobs/job_1": { ...JOB, state: "failed", error } };
  const ran = await runAgainst(answers, ["job", "follow", "job_1"]);
  expect([ran.exitCode, ran.err]).toEqual([
    exitCode,
    `error[${code}]: it broke\n  fix: sampan job log job_1`,
  ]);
});

test("Ctrl-C leaves the job running, and says so", async () => {
  const interrupt = new AbortController();
  const answers = {
    "GET /jobs/job_1": () => {
      interrupt.abort(new DOMException("interrupted", "AbortError"));
      return { ...JOB, state: "running" };
    },
  };
  const ran = await runAgainst(answers, ["job", "follow", "job_1"], { signal: interrupt.signal });
  expect([ran.exitCode, ran.err]).toEqual([130, "The job goes on: sampan job follow job_1\nInterrupted."]);
});

test("Ctrl-C at a question ends the command, and nothing was done", async () => {
  const ran = await runAgainst(SERVER, ["app", "remove", "shop"], { answers: [CTRL_C] });
  expect([ran.exitCode, ran.err.split("\n").at(-1)]).toEqual([130, "Interrupted."]);
  expect(ran.asked.every(({ method }) => method === "GET")).toBe(true);
});

test("an app.yaml is refused with every fault before the server is asked", async () => {
  const ran = await runAgainst(SERVER, ["apply", "-f", "-"], {
    stdin:
      "apiVersion: sampan/v1\nkind: App\nname: shop\ncomponents:\n  Web: { kind: stateless }\n  db: { kind: odd, image: x }\n",
  });
  expect([ran.exitCode, ran.asked]).toEqual([2, []]);
  expect(ran.err).toContain("error[TEMPLATE_INVALID]: standard input is not valid");
  expect(ran.err).toContain("components.db.kind, line 6");
});

const PLAN = {
  id: "p",
  generation: 3,
  base: 2,
  steps: [],
  notes: [],
  text: "plan for shop: nothing to do\n",
};

test("a rollout that fails ends with 1 and names its record", async () => {
  const failed = {
    id: "ro_1",
    appId: "app_1",
    recordId: "rec_1",
    state: "returned",
    startedAt: AT,
    checks: [],
    plan: {
      ...PLAN,
      steps: [{ id: "s1", kind: "instance.ready", needs: [], why: "", component: "web", index: 1 }],
    },
    results: [
      {
        stepId: "s1",
        state: "failed",
        error: "port 80 does\n not answer",
        startedAt: AT,
        endedAt: "2026-03-01T08:02:00.000Z",
      },
    ],
    message: "instance.ready web: port 80 does not answer",
  };
  const ran = await runAgainst({ "GET /rollouts/ro_1": failed }, ["rollout", "follow", "ro_1"]);
  expect([ran.exitCode, ran.err]).toEqual([
    1,
    "✗ s1 ready web 1  2m00s  port 80 does not answer\nerror[CLI_ROLLOUT_FAILED]: the rollout ended as returned\n  why: instance.ready web: port 80 does not answer\n  fix: sampan record show rec_1; sampan component logs APP COMPONENT",
  ]);
});

test("a login's token goes to its own server only", async () => {
  const login: Answers = {
    "POST /session": () => Response.json({}, { headers: { "set-cookie": "sampan_session=abc; Path=/" } }),
    "POST /me/tokens": ({ headers }: { headers: Headers }) => ({
      token: {},
      secret: `for ${headers.get("cookie")}`,
    }),
    "DELETE /session": undefined,
    "GET /me": { user: { name: "ada" }, enterprise: { name: "Acme" }, teams: [] },
  };
  const folder = await mkdtemp(join(tmpdir(), "sampan-login-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { SAMPAN_CONFIG: join(folder, "of", "ada.json") };
  const done = await runAgainst(login, ["login", "--user", "ada", "--password-stdin"], {
    stdin: "secret\n",
    env,
  });
  expect([done.exitCode, done.asked[0]?.body]).toEqual([0, { userName: "ada", password: "secret" }]);
  const bearer = async (...argv: string[]) =>
    (await runAgainst(login, ["whoami", ...argv], { env })).asked[0]?.headers.get("authorization");
  expect(await bearer()).toBe("Bearer for sampan_session=abc");
  expect(await bearer("--server", "http://elsewhere:7070")).toBeNull();
  expect(await bearer("--server", "http://elsewhere:7070", "--token", "t")).toBe("Bearer t");
  expect((await runAgainst(login, ["logout"], { env })).exitCode).toBe(0);
  expect(await bearer()).toBeNull();
});

test("a broken invariant is a problem too, and is loud", async () => {
  const ran = await runAgainst({ "GET /me": {} }, ["whoami"]);
  expect([ran.exitCode, ran.err]).toEqual([1, expect.stringContaining("error[CLI_BUG]")]);
});
