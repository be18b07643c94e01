/** The files of one place: a container's own, or a volume's. Path to text. */
export type FileMap = Map<string, string>;

/** What a container sees: its own files, with volumes mounted over them. */
export class MemoryFiles {
  readonly #own: FileMap;
  readonly #mounts: readonly { readonly path: string; readonly files: FileMap; readonly readOnly: boolean }[];

  constructor(
    own: FileMap,
    mounts: readonly { readonly path: string; readonly files: FileMap; readonly readOnly: boolean }[],
  ) {
    this.#own = own;
    // The longest path first, so that a mount inside a mount is found.
    this.#mounts = mounts.toSorted((a, b) => b.path.length - a.path.length);
  }

  read(path: string): string | undefined {
    const { files, inner } = this.#find(path);
    return files.get(inner);
  }

  /** False when the place is mounted read-only. */
  write(path: string, text: string): boolean {
    const { files, inner, readOnly } = this.#find(path);
    if (!readOnly) files.set(inner, text);
    return !readOnly;
  }

  delete(path: string): boolean {
    const { files, inner } = this.#find(path);
    return files.delete(inner);
  }

  #find(path: string): { readonly files: FileMap; readonly inner: string; readonly readOnly: boolean } {
    for (const mount of this.#mounts)
      if (path.startsWith(mount.path === "/" ? "/" : `${mount.path}/`))
        return { files: mount.files, inner: path.slice(mount.path.length), readOnly: mount.readOnly };
    return { files: this.#own, inner: path, readOnly: false };
  }
}
