/** A file that is made from sources and committed, so that a change of it shows in review. */
export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export interface Generator {
  readonly name: string;
  /** Equal sources give equal bytes. */
  generate(repository: {
    readonly root: string;
    /** The rooms, in the order of the floors. */
    readonly workspaces: readonly string[];
  }): Promise<readonly GeneratedFile[]>;
}
