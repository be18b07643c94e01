// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the values under test hold such references.
import { expect, test } from "vitest";
import { type AppBody, type Component, findSecrets } from "./index.ts";

const KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";

function appWith(component: Partial<Component>): AppBody {
  return { components: { web: { kind: "stateless", image: "x", ...component } } };
}

test.each([
  ["DB_PASSWORD", "hunter2", "its name says"],
  ["apiToken", "abcdef", "its name says"],
  ["AWS_SECRET_ACCESS_KEY", "abcdef", "its name says"],
  ["SESSION_KEY", "x${A}", "its name says"],
  ["DATABASE_URL", "mysql://root:hunter2@db:3306/shop", "address with a password"],
  ["CERT", KEY, "private key"],
  ["NOTE", `AKIA${"A".repeat(16)}`, "access token"],
] as const)("the value of %s is suspected", (name, value, why) => {
  expect(findSecrets(appWith({ env: { [name]: value } }))).toEqual([
    { path: `components.web.env.${name}`, why: expect.stringContaining(why) },
  ]);
});

test.each([
  ["DB_PASSWORD", "${MYSQL_PASSWORD}"],
  ["DB_PASSWORD", ""],
  ["DB_PASSWORD_FILE", "/run/secrets/db"],
  ["PRIVATE_KEY_PATH", "etc/key.pem"],
  ["USE_TOKEN", "true"],
  ["TOKEN_TTL", "3600"],
  ["KEYBOARD", "de"],
  ["MONKEY", "george"],
  ["PUBLIC_KEY", "ssh-ed25519 AAAA"],
  ["DATABASE_URL", "mysql://root:${DB_PASSWORD}@db:3306/shop"],
  ["PROXY", "http://proxy:3128/"],
  ["TIME", "12:30@noon"],
])("the value of %s (%s) is not suspected", (name, value) => {
  expect(findSecrets(appWith({ env: { [name]: value } }))).toEqual([]);
});

test("every place is looked at, and no secret is repeated", () => {
  const found = findSecrets({
    parameters: { api_token: { type: "string", default: "hunter2" }, other: { type: "password" } },
    components: {
      web: {
        kind: "stateless",
        image: "x",
        build: { context: ".", args: { NPM_TOKEN: "hunter2" } },
        command: ["run", "--db=mysql://root:hunter2@db/x"],
        env: { A: { secret: "hunter2" }, B: { generate: {} }, PASSWORD: { parameter: "other" } },
        connection: { WEB_PASSWORD: "hunter2" },
        files: {
          "/etc/app.ini": { content: "[db]\nuser = root\npassword = hunter2\n" },
          "/etc/key.pem": { content: KEY },
          "/etc/known": { content: "hunter2", secret: true },
          "/etc/plain.conf": {
            content: "key_file: /etc/key.pem\ntoken_ttl: 60\npassword = ${DB_PASSWORD}\n",
          },
        },
        plugins: { p: { plugin: "p", config: { secret: "hunter2" } } },
      },
    },
    plugins: { p: { kind: "sidecar", image: "x", env: { ADMIN_PASSWORD: "hunter2" } } },
  });
  expect(found.map(({ path }) => path)).toEqual([
    "parameters.api_token.default",
    "components.web.build.args.NPM_TOKEN",
    "components.web.command.1",
    "components.web.env.A",
    "components.web.files./etc/app.ini",
    "components.web.files./etc/key.pem",
    "components.web.files./etc/known",
    "components.web.connection.WEB_PASSWORD",
    "components.web.plugins.p.config.secret",
    "plugins.p.env.ADMIN_PASSWORD",
  ]);
  expect(JSON.stringify(found)).not.toContain("hunter2");
});
