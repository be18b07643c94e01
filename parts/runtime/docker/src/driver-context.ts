import type { ImageSource } from "@sampan/runtime";
import type { Asker } from "./asker.ts";
import type { Changes } from "./changes.ts";
import type { EngineClient } from "./engine-client.ts";
import type { EngineScope } from "./engine-scope.ts";
import type { KeyedLock } from "./keyed-lock.ts";
import type { Prober } from "./prober.ts";

/** What the verbs of the driver work with. */
export interface DriverContext {
  readonly client: EngineClient;
  readonly scope: EngineScope;
  readonly prober: Prober;
  readonly asker: Asker;
  readonly changes: Changes;
  readonly images: ImageSource;
  readonly clock: () => Date;
  /** IPv4 range that networks are taken from, a /24 each. */
  readonly addressPool: string;
  /** When instances gave up their component's name, in milliseconds of the process's own clock. */
  readonly retiredAtMs: Map<string, number>;
  /**
   * Marks of carriers in use, and of volumes that this driver fills or has filled: all else that looks like work in hand was left behind, and
   * is swept up. A volume keeps its mark once it counts, for a sweep that looked just before.
   */
  readonly working: Set<string>;
  /** By app: choosing names and addresses is one at a time. By volume: replacing its content is. */
  readonly lock: KeyedLock;
}
