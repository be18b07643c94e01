import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { appJsonSchema } from "./json-schema.ts";

const read = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");

test("the committed JSON Schema is the one that the model gives", async () => {
  await expect(appJsonSchema()).toMatchFileSnapshot("../schema/app.schema.json");
});

test("the JSON Schema accepts a good app and refuses a bad one", () => {
  const schema = z.fromJSONSchema(JSON.parse(appJsonSchema()));
  expect(schema.safeParse(parse(read("../testdata/sample-shop.yaml"))).error?.issues).toBeUndefined();
  expect(schema.safeParse(parse(read("../testdata/twenty-faults.yaml"))).success).toBe(false);
});
