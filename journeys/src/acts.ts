import type { Crossing } from "./crossing.ts";
import { SITE_ACTS } from "./site-acts.ts";
import { UPGRADE_ACTS } from "./upgrade-acts.ts";
import { VENDOR_ACTS } from "./vendor-acts.ts";

/** One act of the crossing. It throws when what it shows is not so; the journey and the demo run the same ones. */
export interface Act {
  readonly where: "vendor" | "gap" | "site";
  readonly title: string;
  run(crossing: Crossing): Promise<ActResult>;
}

export interface ActResult {
  /** What the act made, moved or read, where this means something. */
  readonly bytes?: number;
  /** One line: what was seen. */
  readonly says: string;
}

/** The whole story, in order. */
export const ACTS: readonly Act[] = [...VENDOR_ACTS, ...SITE_ACTS, ...UPGRADE_ACTS];
