/**
 * Orders versions as people expect: 2.9 < 3.0 < v3.1 < 3.10, 1.0-rc1 < 1.0-rc2 < 1.0 < 1.0-p1 < 1.0.1. Negative when `a` is older, 0
 * when they are the same to a reader (1.0, v1.0, 1.0.0). Any text has its place, so the order is total.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [tokensOf(a), tokensOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareTokens(left[index] ?? END, right[index] ?? END);
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * What the app calls itself, when that is newer than all of these; else the number after the newest of them: its last number counted
 * up (2.9 gives 2.10, 1.0-rc1 gives 1.0-rc2); 1.0 to begin with.
 */
export function suggestNextVersion(versions: readonly string[], own?: string): string {
  if (own !== undefined && versions.every((one) => compareVersions(own, one) > 0)) return own;
  const newest = versions.reduce<string | undefined>(
    (best, version) => (best === undefined || compareVersions(version, best) > 0 ? version : best),
    undefined,
  );
  if (newest === undefined) return "1.0";
  const match = /^(.*?)(\d+)(\D*)$/s.exec(newest);
  if (match === null) return `${newest}.1`;
  const [, before = "", digits = "", after = ""] = match;
  return `${before}${String(BigInt(digits) + 1n).padStart(digits.length, "0")}${after}`;
}

interface Token {
  /** Where the kind of token stands among the others at the same place. */
  readonly rank: number;
  /** Digits without leading zeros, or a word that is neither before nor after a release. */
  readonly text: string;
}

const PRE_WORDS: readonly (readonly string[])[] = [
  ["dev", "snapshot", "nightly"],
  ["alpha", "a"],
  ["beta", "b"],
  ["milestone", "m"],
  ["pre", "preview"],
  ["rc", "cr", "candidate"],
];
const PATCH_WORDS = new Set(["p", "patch", "pl", "sp", "fix", "hotfix", "post", "rev", "r"]);
/** Words that add nothing: 1.0-final is 1.0. */
const PLAIN_WORDS = new Set(["final", "ga", "release", "stable"]);
const END: Token = { rank: 0, text: "" };
const OTHER_RANK = 1;
const PATCH_RANK = 2;
const NUMBER_RANK = 3;

function compareTokens(a: Token, b: Token): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.rank === NUMBER_RANK && a.text.length !== b.text.length) return a.text.length - b.text.length;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function tokensOf(version: string): Token[] {
  const plain = version
    .trim()
    .toLowerCase()
    .replace(/^(?:version|ver|v)[-_. ]*(?=\d)/, "");
  const tokens: Token[] = [];
  let afterNumber = false;
  let separator = "";
  for (const match of plain.matchAll(/(\d+)|([._+\s-]+)|[^\d._+\s-]+/g)) {
    const [text, digits, between] = match;
    if (between !== undefined) {
      separator = between;
      continue;
    }
    if (digits !== undefined) {
      // A number behind a dash counts builds of the version before it: 1.0-1 is 1.0-p1.
      if (afterNumber && /^[^.]/.test(separator)) tokens.push({ rank: PATCH_RANK, text: "" });
      tokens.push({ rank: NUMBER_RANK, text: digits.replace(/^0+(?=\d)/, "") });
      afterNumber = true;
    } else if (!PLAIN_WORDS.has(text)) {
      const follows = /^[._+\s-]*\d/.test(plain.slice(match.index + text.length));
      tokens.push(wordToken(text, { standsAlone: separator !== "" || follows || match.index === 0 }));
      afterNumber = false;
    }
    separator = "";
  }
  return withoutZeros(tokens);
}

/** A single letter right behind a number, with nothing after it, is a revision of old style: 1.0.2a, 1.0.2b. */
function wordToken(word: string, { standsAlone }: { standsAlone: boolean }): Token {
  if (word.length > 1 || standsAlone) {
    const pre = PRE_WORDS.findIndex((words) => words.includes(word));
    if (pre >= 0) return { rank: pre - PRE_WORDS.length, text: "" };
    if (PATCH_WORDS.has(word)) return { rank: PATCH_RANK, text: "" };
  }
  return { rank: OTHER_RANK, text: word };
}

/** Zeros at the end of a run of numbers add nothing: 1.0.0 is 1, and 1.0-rc1 is 1-rc1. */
function withoutZeros(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  let counts = false;
  for (const token of tokens.toReversed()) {
    if (token.rank !== NUMBER_RANK) counts = false;
    else if (token.text !== "0") counts = true;
    if (token.rank !== NUMBER_RANK || counts) kept.push(token);
  }
  return kept.reverse();
}
