import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseApp } from "./index.ts";

const sample = readFileSync(new URL("../testdata/sample-shop.yaml", import.meta.url), "utf8");

/** What replaces what in the sample, and the one fault or warning that this makes: its path, and a part of what is said. */
type Row = readonly [from: string, to: string, path: string, message: string];

const FAULTS: readonly Row[] = [
  ["volumes: [uploads]", "volumes: [upload]", "components.api.snapshot.volumes.0", "did you mean `uploads`?"],
  ["volumes: [uploads]", "volumes: [scratch]", "components.api.snapshot.volumes.0", "is in memory"],
  ["volumes: [uploads]", "volumes: []", "components.api.snapshot.volumes", "at least 1"],
  ["volumes: [uploads]", "volumes: uploads", "components.api.snapshot.volumes", "expected a list"],
  ["volumes: [uploads]", "volume: [uploads]", "components.api.snapshot.volume", "did you mean `volumes`?"],
  ["after: [rm", "afer: [rm", "components.db.snapshot.afer", "did you mean `after`?"],
  ["after: [rm, -f, /var/lib/mysql/dump.sql]", "after: []", "components.db.snapshot.after", "at least 1"],
  [
    "      before: [sh, -c, mariadb-dump shop > /var/lib/mysql/dump.sql]\n",
    "",
    "components.db.snapshot.after",
    "there is no `before`",
  ],
  ["within: 10m", "within: 0s", "components.db.snapshot.within", "no time"],
  ["within: 10m", "within: soon", "components.db.snapshot.within", "such as 500ms"],
  [
    "needs: [api]\n    probes",
    "needs: [api]\n    snapshot: {}\n    probes",
    "components.web.snapshot",
    "no volume",
  ],
  [
    "needs: [api]\n  mailer",
    "needs: [api]\n    snapshot: { volumes: [uploads] }\n  mailer",
    "components.search.snapshot",
    "no volume of its own",
  ],
];

test.each(FAULTS)("%j written as %j is reported once: %s %s", (from, to, path, message) => {
  expect(sample).toContain(from);
  const { faults } = parseApp(sample.replace(from, () => to));
  expect(faults).toEqual([{ path, line: expect.any(Number), message: expect.stringContaining(message) }]);
});

const WARNINGS: readonly Row[] = [
  [
    "volumes: [uploads]",
    "volumes: [uploads, uploads]",
    "components.api.snapshot.volumes.1",
    "`uploads` is listed twice",
  ],
  [
    "command: [node, migrate.js]",
    "volumes: { own: { path: /own, kind: persistent } }\n    snapshot: { before: [x] }",
    "components.migrate.snapshot.before",
    "has no effect on a job",
  ],
];

test.each(WARNINGS)("%j written as %j gets a warning and is read: %s %s", (from, to, path, message) => {
  expect(sample).toContain(from);
  const { value, warnings } = parseApp(sample.replace(from, () => to));
  expect(value).toBeDefined();
  expect(warnings).toEqual([{ path, line: expect.any(Number), message: expect.stringContaining(message) }]);
});
