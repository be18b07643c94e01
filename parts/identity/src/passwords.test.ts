import { Bug } from "@sampan/problem";
import { describe, expect, test } from "vitest";
import { hashPassword, isOutdated, verifyPassword } from "./passwords.ts";

const PHC_SHAPE = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/;

describe("passwords", () => {
  test("a password verifies against its own hash only", async () => {
    const phc = await hashPassword("correct horse");
    expect(phc).toMatch(PHC_SHAPE);
    expect(await verifyPassword("correct horse", phc)).toBe(true);
    for (const wrong of ["correct hors", "correct horse ", "Correct horse", "", "x".repeat(5000)])
      expect(await verifyPassword(wrong, phc)).toBe(false);
  });

  test("the same password has another hash each time", async () => {
    expect(await hashPassword("correct horse")).not.toBe(await hashPassword("correct horse"));
  });

  test("the same letters verify however they were composed", async () => {
    const phc = await hashPassword("café-münchen");
    expect(await verifyPassword("cafe\u0301-mu\u0308nchen", phc)).toBe(true);
  });

  test("no hash verifies nothing", async () => {
    expect(await verifyPassword("correct horse", undefined)).toBe(false);
  });

  test.each(["", "1234567", "x".repeat(1025), "舢".repeat(342)])(
    "a password of bad length is refused: %#",
    async (password) => {
      await expect(hashPassword(password)).rejects.toMatchObject({ code: "IDENTITY_PASSWORD_INVALID" });
    },
  );

  test("a short password of long letters is taken by its bytes", async () => {
    expect(await verifyPassword("舢板舢板", await hashPassword("舢板舢板"))).toBe(true);
  });

  const salt = "A".repeat(22);
  const tag = "A".repeat(43);
  test.each([
    "plain text",
    `$argon2i$v=19$m=19456,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=16$m=19456,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=99999999,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=19456,t=999,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=19456,t=2,p=0$${salt}$${tag}`,
    `$argon2id$v=19$m=19456,t=2,p=1$${salt}$`,
  ])("a stored hash that is none of ours fails loudly: %s", async (phc) => {
    await expect(verifyPassword("correct horse", phc)).rejects.toBeInstanceOf(Bug);
  });

  test("a hash of another cost still verifies, and says that it is outdated", async () => {
    const ours = await hashPassword("correct horse");
    expect(isOutdated(ours)).toBe(false);
    expect(isOutdated(`$argon2id$v=19$m=12288,t=3,p=1$${salt}$${tag}`)).toBe(true);
    expect(await verifyPassword("correct horse", `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}`)).toBe(false);
  });
});
