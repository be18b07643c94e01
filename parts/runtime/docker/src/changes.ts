/** Something happened to an instance. */
export interface Change {
  readonly id: string;
  readonly app: string;
  readonly component?: string;
  readonly what: string;
}

/** Tells listeners of changes, from the engine and from the probes alike. */
export class Changes {
  readonly #listeners = new Set<(change: Change) => void>();

  emit(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  /** Returns how to stop. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the next change of the container, or after the time. Throws the signal's reason. */
  async next(
    id: string,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const { signal, timeoutMs } = options;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        stop();
        signal.removeEventListener("abort", abort);
      };
      const done = () => {
        finish();
        resolve();
      };
      const abort = () => {
        finish();
        reject(signal.reason);
      };
      const timer = setTimeout(done, timeoutMs);
      const stop = this.listen((change) => {
        if (change.id === id) done();
      });
      signal.addEventListener("abort", abort);
    });
  }
}
