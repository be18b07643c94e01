import type { RecordKind } from "@sampan/store";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/** Changes that somebody may have to explain years later. */
const EXPLAINED: ReadonlySet<RecordKind> = new Set(["install", "upgrade", "rollback", "modules", "restore"]);

/** The site itself, which goes back by itself when something failed: nobody is there to be asked. */
export function isBySystem({ userId }: Actor): boolean {
  return userId === "system";
}

/** Throws NOTE_REQUIRED when the site's policy demands a reason and none is given. White space is none. */
export async function requireNote(
  parts: Pick<Parts, "store">,
  wish: { readonly kind: RecordKind; readonly by: Actor; readonly app: { readonly name: string } },
  note: string | undefined,
): Promise<void> {
  const isGiven = (note ?? "").trim() !== "";
  if (isGiven || isBySystem(wish.by) || !EXPLAINED.has(wish.kind)) return;
  const { noteRequired } = await parts.store.policy.get();
  if (!noteRequired) return;
  throw deliveryProblem("NOTE_REQUIRED", `say why ${wish.app.name} is changed`, {
    why: "this site keeps a reason with every install, upgrade, rollback, switch of modules and restore of data",
    hint: 'give a note (--note "…"); an administrator can switch this off',
  });
}
