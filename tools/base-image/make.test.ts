import { expect, test } from "vitest";
import { sourceLines } from "./make.mjs";

const rows: readonly [string, NodeJS.ProcessEnv, string, readonly string[]][] = [
  [
    "the sources of a machine of the same suite are taken as they are",
    {},
    "http://mirror.example/debian/ bookworm main\nhttp://mirror.example/debian/ bookworm contrib\n" +
      "http://mirror.example/debian-security/ bookworm-security main\nhttp://other.example/ nodistro main\n",
    [
      "deb http://mirror.example/debian/ bookworm main",
      "deb http://mirror.example/debian-security/ bookworm-security main",
    ],
  ],
  [
    "a machine of another Debian suite lends its mirror",
    {},
    "http://mirror.example/debian/ trixie main\n",
    ["deb http://mirror.example/debian/ bookworm main"],
  ],
  [
    "a mirror that the user names wins",
    { SAMPAN_APT_MIRROR: "http://chosen.example/debian" },
    "http://mirror.example/debian/ bookworm main\n",
    ["deb http://chosen.example/debian bookworm main"],
  ],
];

test.for(rows)("%s", ([, env, targets, expected]) => {
  expect(sourceLines(env, targets)).toEqual(expected);
});

test("a machine without a Debian mirror is told to name one", () => {
  expect(() => sourceLines({}, "http://archive.example/ubuntu/ noble main\n")).toThrow(
    expect.objectContaining({ code: "BASE_NO_MIRROR", fix: expect.stringContaining("SAMPAN_APT_MIRROR") }),
  );
});
