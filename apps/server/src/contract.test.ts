import {
  API_PREFIX,
  type Contract,
  contract,
  PERMISSIONS,
  type Route,
  type RouteCall,
  type RouteName,
} from "@sampan/api";
import type { Digest } from "@sampan/content";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  call,
  jobEnd,
  type Person,
  rolloutEnd,
  runApp,
  smallApp,
  type TestServer,
  testServer,
} from "./test-server.ts";

/** Things of the first team, each there for real. */
interface Ids {
  readonly teamId: string;
  readonly appId: string;
  readonly installationId: string;
  readonly recordId: string;
  readonly rolloutId: string;
  readonly templateId: string;
  readonly release: Digest;
  readonly fileId: string;
  readonly jobId: string;
  readonly tokenId: string;
  readonly userId: string;
  readonly snapshotId: string;
}

/** Long enough to be one, and nobody's. */
const PASSPHRASE = "open sesame, again";

/** A good call of every route, about things of the first team. */
const CALLS: { readonly [N in RouteName]: (ids: Ids) => RouteCall<Contract[N]> } = {
  getHealth: () => ({}),
  getSite: () => ({}),
  getOpenApi: () => ({}),
  listKeys: () => ({}),
  trustKey: () => ({ body: { name: "key", publicKeyPem: "none" } }),
  distrustKey: () => ({ params: { keyId: "none" } }),
  planPrune: () => ({}),
  prune: () => ({}),
  checkHold: () => ({}),
  getPolicy: () => ({}),
  setPolicy: () => ({ body: { snapshotsKept: 3 } }),
  listAudit: () => ({}),
  getSetup: () => ({}),
  setup: () => ({ body: { enterprise: "E", userName: "late", password: "long enough to be one" } }),
  login: () => ({ body: { userName: "root", password: "wrong" } }),
  logout: () => ({}),
  getMe: () => ({}),
  changePassword: () => ({ body: { current: "wrong", next: "long enough to be one" } }),
  listTokens: () => ({}),
  createToken: () => ({ body: { name: "token" } }),
  removeToken: ({ tokenId: id }) => ({ params: { id } }),
  listUsers: () => ({}),
  createUser: () => ({ body: { userName: "newcomer", password: "long enough to be one" } }),
  updateUser: ({ userId: id }) => ({ params: { id }, body: { disabled: true } }),
  listTeams: () => ({}),
  createTeam: () => ({ body: { name: "more" } }),
  removeTeam: ({ teamId: id }) => ({ params: { id } }),
  listMembers: ({ teamId: id }) => ({ params: { id } }),
  setMember: ({ teamId: id }) => ({ params: { id, userName: "root" }, body: { role: "viewer" } }),
  removeMember: ({ teamId: id }) => ({ params: { id, userName: "root" } }),
  listApps: () => ({}),
  createApp: ({ teamId }) => ({ body: { teamId, app: smallApp("another") } }),
  getApp: ({ appId: id }) => ({ params: { id } }),
  getAppText: ({ appId: id }) => ({ params: { id } }),
  updateApp: ({ appId: id }) => ({ params: { id }, body: { app: smallApp("source") } }),
  switchModules: ({ appId: id }) => ({ params: { id }, body: { on: [], off: [] } }),
  setRunning: ({ appId: id }) => ({ params: { id }, body: { running: false } }),
  removeApp: ({ appId: id }) => ({ params: { id } }),
  scaleComponent: ({ appId: id }) => ({ params: { id, component: "web" }, body: { replicas: 2 } }),
  restartComponent: ({ appId: id }) => ({ params: { id, component: "web" } }),
  execComponent: ({ appId: id }) => ({ params: { id, component: "web" }, body: { command: ["echo", "x"] } }),
  getComponentLogs: ({ appId: id }) => ({ params: { id, component: "web" } }),
  getComponentStats: ({ appId: id }) => ({ params: { id, component: "web" } }),
  listRollouts: ({ appId: id }) => ({ params: { id } }),
  getRollout: ({ rolloutId: id }) => ({ params: { id } }),
  cancelRollout: ({ rolloutId: id }) => ({ params: { id } }),
  recoverApps: () => ({}),
  recoverApp: ({ appId: id, teamId }) => ({ params: { id }, body: { teamId } }),
  listTemplates: () => ({}),
  getTemplate: ({ templateId: id }) => ({ params: { id } }),
  updateTemplate: ({ templateId: id }) => ({ params: { id }, body: { name: "Mine" } }),
  removeTemplate: ({ templateId: id }) => ({ params: { id } }),
  getLogo: ({ templateId: id }) => ({ params: { id } }),
  getRelease: ({ release: digest }) => ({ params: { digest } }),
  getInstallForm: ({ release: digest }) => ({ params: { digest } }),
  checkAnswers: ({ release: digest }) => ({ params: { digest }, body: {} }),
  diffReleases: ({ release: digest }) => ({ params: { digest, other: digest } }),
  removeRelease: ({ release: digest }) => ({ params: { digest } }),
  reportPublish: ({ appId: id }) => ({ params: { id }, body: { template: {} } }),
  publish: ({ appId: id }) => ({ params: { id }, body: { template: {}, version: "9" } }),
  listInstallations: () => ({}),
  getInstallation: ({ installationId: id }) => ({ params: { id } }),
  install: ({ release, teamId }) => ({ body: { release, teamId, appName: "third" } }),
  upgrade: ({ installationId: id, release }) => ({ params: { id }, body: { release, decisions: {} } }),
  rollback: ({ recordId: id }) => ({ params: { id }, body: {} }),
  listRecords: () => ({}),
  getRecord: ({ recordId: id }) => ({ params: { id } }),
  diffRecords: ({ recordId: id }) => ({ params: { id, other: id } }),
  getReport: ({ recordId: id }) => ({ params: { id } }),
  getReportPage: ({ recordId: id }) => ({ params: { id } }),
  countersignReport: ({ recordId: id }) => ({ params: { id }, body: { name: "Ms. Wang" } }),
  takeSnapshot: ({ appId: id }) => ({ params: { id }, body: {} }),
  listSnapshots: () => ({}),
  getSnapshot: ({ snapshotId: id }) => ({ params: { id } }),
  restoreSnapshot: ({ snapshotId: id }) => ({ params: { id }, body: {} }),
  removeSnapshot: ({ snapshotId: id }) => ({ params: { id } }),
  backUpApp: ({ appId: id }) => ({ params: { id }, body: { passphrase: PASSPHRASE } }),
  restoreBackup: ({ fileId, teamId }) => ({
    body: { source: { fileId }, teamId, passphrase: PASSPHRASE },
  }),
  exportBundle: ({ release, teamId }) => ({ body: { releases: [release], teamId } }),
  listBundles: () => ({}),
  getBundle: ({ fileId: id }) => ({ params: { id } }),
  downloadBundle: ({ fileId: id }) => ({ params: { id } }),
  removeBundle: ({ fileId: id }) => ({ params: { id } }),
  startUpload: ({ teamId }) => ({ body: { name: "x.sampan", sizeBytes: 5, teamId } }),
  appendUpload: ({ fileId: id }) => ({ params: { id }, query: { offset: 0 }, body: Buffer.from("x") }),
  planExport: ({ release, teamId }) => ({ body: { releases: [release], teamId, from: [release] } }),
  getSiteState: () => ({}),
  getSiteReceipt: () => ({ query: { since: 0 } }),
  addToLedger: () => ({ body: Buffer.from("{}") }),
  listLedger: () => ({}),
  getLedgerSite: () => ({ params: { id: "none" } }),
  noteLedgerSite: () => ({ params: { id: "none" }, body: { notes: "" } }),
  removeLedgerSite: () => ({ params: { id: "none" } }),
  inspectBundle: ({ fileId }) => ({ body: { fileId } }),
  importBundle: ({ fileId, teamId }) => ({ body: { source: { fileId }, scope: "team", teamId } }),
  listJobs: () => ({}),
  getJob: ({ jobId: id }) => ({ params: { id } }),
  getJobLog: ({ jobId: id }) => ({ params: { id } }),
  cancelJob: ({ jobId: id }) => ({ params: { id } }),
  resumeJob: ({ jobId: id }) => ({ params: { id } }),
  streamEvents: () => ({}),
};

let server: TestServer;
let ids: Ids;
let viewer: Person;
let stranger: Person;

beforeAll(async () => {
  server = await testServer();
  viewer = await server.person("viewer", "viewer");
  const other = await server.admin.client.createTeam({ body: { name: "other" } });
  stranger = await server.person("stranger", "administrator", other.id);
  ids = await makeThings(server);
});

afterAll(() => server.end());

const DATA = { data: { kind: "persistent", path: "/data" } };

async function makeThings(site: TestServer): Promise<Ids> {
  const { client, id: userId } = site.admin;
  const { teamId } = site;
  const source = await runApp(site, smallApp("source", { kind: "stateful", volumes: DATA }));
  const publishing = { template: { name: "Shop" }, version: "1.0", accept: ["all"] };
  const { jobId } = await client.publish({ params: { id: source }, body: publishing });
  const { digest, templateId } = (await jobEnd(site, jobId)) as { digest: Digest; templateId: string };
  const body = { release: digest, teamId, appName: "second" };
  const { appId = "", installationId = "", recordId = "", rolloutId = "" } = await client.install({ body });
  await rolloutEnd(site, rolloutId);
  const exported = await client.exportBundle({ body: { releases: [digest], teamId } });
  const { fileId } = (await jobEnd(site, exported.jobId)) as { fileId: string };
  const { token } = await client.createToken({ body: { name: "own" } });
  const taken = await client.takeSnapshot({ params: { id: appId }, body: {} });
  await rolloutEnd(site, taken.rolloutId ?? "");
  const snapshotId = taken.snapshotId ?? "";
  const more = { teamId, appId, snapshotId, installationId, recordId, rolloutId, templateId };
  return { ...more, release: digest, fileId, jobId, tokenId: token.id, userId };
}

const routes = Object.entries(contract) as [RouteName, Route][];
const scopeOf = ({ permission }: Route) =>
  permission === "public" ? "public" : PERMISSIONS[permission].scope;

interface AnyCall {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

async function ask(name: RouteName, row: Route, person?: Person) {
  const { params = {}, query = {}, body } = CALLS[name](ids) as AnyCall;
  const path = row.path.replace(/:([A-Za-z]+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ""));
  const search = new URLSearchParams(query);
  const address = search.size === 0 ? path : `${path}?${search}`;
  const reply = await call(server.url, row.method, address, { token: person?.token, body });
  const text = await reply.text();
  return { status: reply.status, text, code: codeOf(text) };
}

function codeOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { code?: string }).code;
  } catch {
    return undefined;
  }
}

const closed = routes.filter(([, row]) => row.permission !== "public");

test.for(closed)("%s refuses who has not logged in", async ([name, row]) => {
  expect(await ask(name, row)).toMatchObject({ status: 401, code: "API_NOT_LOGGED_IN" });
});

const ofTeams = routes.filter(([, row]) => scopeOf(row) === "team");

test.for(ofTeams)("%s refuses a stranger to the team", async ([name, row]) => {
  const { status, code } = await ask(name, row, stranger);
  expect([403, 404], `${status} ${code}`).toContain(status);
});

const ofEnterprise = routes.filter(([, row]) => scopeOf(row) === "enterprise");

test.for(ofEnterprise)("%s refuses who is no administrator of the enterprise", async ([name, row]) => {
  expect(await ask(name, row, stranger)).toMatchObject({ status: 403, code: "API_FORBIDDEN" });
});

const forViewers = new Set<unknown>(["app.read", "library.read"]);
const beyondViewers = ofTeams.filter(([, { permission }]) => !forViewers.has(permission));

test.for(beyondViewers)("%s refuses a viewer", async ([name, row]) => {
  expect(await ask(name, row, viewer)).toMatchObject({ status: 403, code: "API_FORBIDDEN" });
});

const readable = ofTeams.filter(
  ([name, row]) => !beyondViewers.some(([other]) => other === name) && row.method === "GET",
);

test.for(readable)("%s serves a viewer", async ([name, row]) => {
  const { status, code, text } = await ask(name, row, viewer);
  if (name === "getLogo") expect(code).toBe("NOT_FOUND");
  else expect(status, text).toBe(200);
});

test.for(["getJob", "getJobLog", "cancelJob", "resumeJob"] as const)(
  "%s hides the jobs of other teams",
  async (name) => {
    expect(await ask(name, contract[name], stranger)).toMatchObject({ status: 404 });
  },
);

test.for(["cancelJob", "resumeJob"] as const)("%s takes what it took to start the job", async (name) => {
  expect(await ask(name, contract[name], viewer)).toMatchObject({ status: 403, code: "API_FORBIDDEN" });
});

test.for([
  "listApps",
  "listInstallations",
  "listRecords",
  "listSnapshots",
  "listBundles",
  "listJobs",
  "listTemplates",
] as const)("%s shows a stranger nothing of the team", async (name) => {
  const { status, text } = await ask(name, contract[name], stranger);
  expect([status, JSON.parse(text)]).toEqual([200, { items: [] }]);
});

test.for(["getSnapshot", "restoreSnapshot", "removeSnapshot"] as const)(
  "%s hides the data snapshots of other teams",
  async (name) => {
    expect(await ask(name, contract[name], stranger)).toMatchObject({ status: 404 });
  },
);

test("a token of another person cannot be revoked", async () => {
  expect(await ask("removeToken", contract.removeToken, stranger)).toMatchObject({ status: 404 });
});

test("nobody can be set up twice", async () => {
  expect(await ask("setup", contract.setup)).toMatchObject({ status: 409, code: "API_SETUP_DONE" });
});

test("no route outside the contract answers below the prefix", async () => {
  const reply = await call(server.url, "GET", "/nothing", { token: server.admin.token });
  expect([reply.status, await reply.json()]).toMatchObject([404, { code: "API_NOT_FOUND" }]);
  expect(API_PREFIX).toBe("/api/v1");
});

test("no request of these made the server break an invariant", () => {
  expect(server.log.filter((line) => line.includes('"msg":"bug"'))).toEqual([]);
});

test("a team cannot publish into the template of another, nor change what the enterprise has from elsewhere", async () => {
  const { client } = server.admin;
  const teamId = (await stranger.client.getMe()).teams[0]!.team.id;
  const { appId = "", rolloutId = "" } = await stranger.client.createApp({
    body: { teamId, app: smallApp("theirs") },
  });
  await rolloutEnd(server, rolloutId);
  const { templateId: id, release: digest } = ids;
  const body = { template: { id }, version: "6.6", accept: ["all"] };
  const theft = () => stranger.client.publish({ params: { id: appId }, body });
  await expect(theft()).rejects.toMatchObject({ code: "API_FORBIDDEN" });
  await expect(stranger.client.reportPublish({ params: { id: appId }, body })).rejects.toMatchObject({
    code: "API_FORBIDDEN",
  });
  await client.updateTemplate({ params: { id }, body: { scope: "enterprise" } });
  await expect(stranger.client.getRelease({ params: { digest } })).resolves.toBeDefined();
  await expect(theft()).rejects.toMatchObject({ code: "API_FORBIDDEN" });
  const changes = [
    () => stranger.client.updateTemplate({ params: { id }, body: { scope: "team" } }),
    () => stranger.client.removeTemplate({ params: { id } }),
    () => stranger.client.removeRelease({ params: { digest } }),
  ];
  for (const change of changes) await expect(change()).rejects.toMatchObject({ code: "API_FORBIDDEN" });
  await client.updateTemplate({ params: { id }, body: { scope: "team" } });
});

test("doing without a signature is the enterprise's to allow", async () => {
  const boss = await server.person("boss", "administrator");
  const source = { fileId: ids.fileId };
  const wish = { source, scope: "team", teamId: server.teamId, allowUnsigned: true } as const;
  await expect(boss.client.importBundle({ body: wish })).rejects.toMatchObject({ code: "API_FORBIDDEN" });
  const signed = await boss.client.importBundle({ body: { ...wish, allowUnsigned: false } });
  await expect(jobEnd(server, signed.jobId)).resolves.toMatchObject({ copiedBytes: 0 });
});
