import { COMPONENT_SECTIONS } from "./property.ts";

/** What a person decides about one property. */
export type Decision = "take" | "keep" | { readonly edit: unknown };

/** One thing that differs, what happens with it, and why. It never holds a secret: those are masked. */
export interface Change {
  /** Where it is, in the site's names: `components.orders.env.PORT`, `routes.main`. Decisions are given by it. */
  readonly path: string;
  /** The site's name of the component, where it is of one. */
  readonly component?: string;
  /** "env PORT", "image", "component". */
  readonly what: string;
  /** What happens at the site. `keep`: nothing, although what is offered differs. */
  readonly action: "add" | "change" | "remove" | "keep";
  readonly why: string;
  /** What the site has. */
  readonly before?: unknown;
  /** What the new release (in a return: the snapshot) has. */
  readonly offered?: unknown;
  /** What the site will have. */
  readonly after?: unknown;
  /** Whether a value was masked. */
  readonly secret: boolean;
  /** Whether a person decided it. */
  readonly decided: boolean;
  /** In a return: it was changed after the upgrade, and this would be lost. */
  readonly laterEdit?: true;
}

export const MASK = "••••••";

/** The value with its secrets masked, and whether there were any. */
export function maskValue(value: unknown): { readonly value: unknown; readonly secret: boolean } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { value, secret: false };
  if ("secret" in value && typeof value.secret === "string") return { value: { secret: MASK }, secret: true };
  if ("secret" in value && value.secret === true && "content" in value)
    return { value: { ...value, content: MASK }, secret: true };
  return { value, secret: false };
}

/** Makes a change with its values masked. Values that are undefined are left out. */
export function makeChange(
  change: Omit<Change, "before" | "offered" | "after" | "secret">,
  values: { readonly before?: unknown; readonly offered?: unknown; readonly after?: unknown },
): Change {
  const before = maskValue(values.before);
  const offered = maskValue(values.offered);
  const after = maskValue(values.after);
  const secret = before.secret || offered.secret || after.secret;
  // Beside a secret, even the plain text on another side may tell what the secret was.
  const shown = (value: unknown) => (secret && typeof value === "string" ? MASK : value);
  return {
    ...change,
    ...(before.value === undefined ? undefined : { before: shown(before.value) }),
    ...(offered.value === undefined ? undefined : { offered: shown(offered.value) }),
    ...(after.value === undefined ? undefined : { after: shown(after.value) }),
    secret,
  };
}

/** What a plan's reasons say of each component: "image", "env PORT". For `Desired.changes`. */
export function changeHints(changes: readonly Change[]): Readonly<Record<string, readonly string[]>> {
  const hints = new Map<string, string[]>();
  for (const change of changes) {
    if (change.component === undefined || change.action === "keep" || change.what === COMPONENT) continue;
    const known = hints.get(change.component);
    if (known === undefined) hints.set(change.component, [change.what]);
    else if (!known.includes(change.what)) known.push(change.what);
  }
  // What the image brings explains most: it is named first.
  for (const list of hints.values()) list.sort((a, b) => Number(isImage(b)) - Number(isImage(a)));
  return Object.fromEntries(hints);
}

/** `what` of a change of a whole component. */
export const COMPONENT = "component";

function isImage(what: string): boolean {
  return what === COMPONENT_SECTIONS.image.word;
}
