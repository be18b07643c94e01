import { expect, test } from "vitest";
import { hashToken, isToken, newToken } from "./tokens.ts";

test("tokens are told from other text, and never come twice", () => {
  const tokens = Array.from({ length: 100 }, newToken);
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(isToken(token)).toBe(true);
  const [token = ""] = tokens;
  for (const text of [
    "",
    "smp_",
    token.slice(1),
    `${token}x`,
    token.slice(0, -1),
    `${token}\n`,
    "x".repeat(1000),
  ])
    expect(isToken(text)).toBe(false);
});

test("what is kept of a token is its SHA-256", () => {
  expect(hashToken("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
