import type { BundleFiles, Parts } from "@sampan/delivery";

/** What handlers work with. */
export interface ServerParts extends Parts {
  readonly files: BundleFiles;
  /** Such as 127.0.0.1:7070: where the engine pulls from. */
  readonly registryHost: string;
  readonly driverName: string;
}
