import { expect, test } from "vitest";
import { splitReference } from "./split-reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

test.each([
  ["127.0.0.1:5000/team/shop:1.0", "127.0.0.1:5000", "127.0.0.1:5000/team/shop", "1.0"],
  [`127.0.0.1:5000/shop@${DIGEST}`, "127.0.0.1:5000", "127.0.0.1:5000/shop", DIGEST],
  [`hold.example/shop:1@${DIGEST}`, "hold.example", "hold.example/shop", DIGEST],
  ["localhost/shop", "localhost", "localhost/shop", "latest"],
  ["team/shop:1", "docker.io", "team/shop", "1"],
  ["debian", "docker.io", "debian", "latest"],
])("%s", (reference, registry, repository, tag) => {
  expect(splitReference(reference)).toEqual({ registry, repository, tag });
});
