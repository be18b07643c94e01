import { Bug } from "@sampan/problem";
import type { PropertyClass } from "./property.ts";
import { sameValue } from "./same-value.ts";

/** One property on its three sides; undefined where it is absent. */
export interface PropertyCase {
  readonly class: PropertyClass;
  readonly old: unknown;
  readonly offered: unknown;
  readonly site: unknown;
  /** The site took away the whole entry (a port) that the property is of. */
  readonly siteDroppedEntry: boolean;
  /** The release dropped the whole entry. */
  readonly releaseDroppedEntry: boolean;
}

export interface MergeRule {
  readonly when: (one: PropertyCase) => boolean;
  /** `same`: nothing to say. */
  readonly take: "offered" | "site" | "same";
  readonly why: string;
}

/** What a property becomes where no person decides. First match wins. */
export const MERGE_RULES: readonly MergeRule[] = [
  { when: (one) => sameValue(one.offered, one.site), take: "same", why: "it is the same" },
  {
    when: (one) => one.offered === undefined && one.old === undefined,
    take: "same",
    why: "it is the site's own",
  },
  { when: is("image"), take: "offered", why: "a release is its images" },
  {
    when: (one) => one.site === undefined && one.old === undefined && !one.siteDroppedEntry,
    take: "offered",
    why: "new in this release",
  },
  {
    when: (one) => isKept(one) && one.site === undefined,
    take: "site",
    why: "it was removed here",
  },
  {
    when: (one) => is("value")(one) && isGenerated(one),
    take: "site",
    why: "generated once, at install",
  },
  {
    when: (one) => is("volume")(one) && one.offered === undefined,
    take: "site",
    why: "no longer in the template; data always stays",
  },
  {
    when: (one) => is("value")(one) && one.offered === undefined,
    take: "site",
    why: "no longer in the template; only a person removes it",
  },
  {
    when: (one) => isKept(one) && sameValue(one.old, one.offered),
    take: "site",
    why: "changed here; the release did not change it",
  },
  {
    when: (one) => isKept(one) && one.old === undefined,
    take: "site",
    why: "it was here before the release brought it",
  },
  { when: is("volume"), take: "site", why: "volumes stay where their data is" },
  {
    when: (one) => is("value")(one) && sameValue(one.old, one.site),
    take: "site",
    why: "only a person changes an existing value",
  },
  { when: is("value"), take: "site", why: "changed here, and in the release; only a person changes it" },
  {
    when: (one) => is("structure")(one) && one.releaseDroppedEntry,
    take: "site",
    why: "no longer in the template; only a person removes it",
  },
  { when: (one) => one.siteDroppedEntry, take: "site", why: "it was removed here" },
  {
    when: (one) => sameValue(one.old, one.offered),
    take: "site",
    why: "changed here; the release did not change it",
  },
  { when: (one) => sameValue(one.old, one.site), take: "offered", why: "not changed here" },
  { when: () => true, take: "site", why: "changed here, and in the release" },
];

/** What becomes of a property, and why. */
export function judgeProperty(one: PropertyCase): MergeRule {
  const rule = MERGE_RULES.find((row) => row.when(one));
  if (rule === undefined) throw new Bug("the last merge rule matches everything");
  return rule;
}

function is(name: PropertyClass): (one: PropertyCase) => boolean {
  return (one) => one.class === name;
}

function isKept(one: PropertyCase): boolean {
  return one.class === "value" || one.class === "volume";
}

function isGenerated(one: PropertyCase): boolean {
  return [one.site, one.old, one.offered].some(
    (value) => typeof value === "object" && value !== null && "generate" in value,
  );
}
