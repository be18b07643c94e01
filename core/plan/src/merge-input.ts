import type { App, AppBody } from "@sampan/template";
import type { Change, Decision } from "./change.ts";

export interface MergeInput {
  /** What was installed; absent at a first install. */
  readonly oldRelease?: AppBody;
  readonly newRelease: AppBody;
  /** The app as it is now. */
  readonly site: App;
  readonly installation: string;
  /** What app-wide things of the release are called here, from the last merge. */
  readonly names?: InstallationNames;
  /** Components to install or upgrade, by their name in the release or here; all when absent. */
  readonly selection?: readonly string[];
  /** By path of a change. */
  readonly decisions?: Readonly<Record<string, Decision>>;
  /** By component id in the release: the name here of the component that takes its place, for one that was built anew. */
  readonly mapping?: Readonly<Record<string, string>>;
}

/** Names in the release to names here, where they differ. To be kept with the installation: these things have no id. */
export interface InstallationNames {
  readonly parameters: Readonly<Record<string, string>>;
  readonly modules: Readonly<Record<string, string>>;
  readonly plugins: Readonly<Record<string, string>>;
  readonly routes: Readonly<Record<string, string>>;
  readonly acceptance: Readonly<Record<string, string>>;
}

export type NamedSection = keyof InstallationNames;
export const NAMED_SECTIONS = [
  "parameters",
  "modules",
  "plugins",
  "routes",
  "acceptance",
] as const satisfies NamedSection[];

export interface Merged {
  /** What is desired from now on. */
  readonly app: App;
  readonly changes: readonly Change[];
  /** Components that were not selected and are needed, with the reason as a sentence's end. */
  readonly pulledIn: readonly { readonly component: string; readonly because: string }[];
  /** To be kept with the installation, for the next merge. */
  readonly names: InstallationNames;
  /** What a person should look at: the merge cannot know. */
  readonly remarks: readonly string[];
}
