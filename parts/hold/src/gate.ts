/** Many may share, one may be alone: whoever comes first is served first. */
export class Gate {
  #sharing = 0;
  #alone = false;
  readonly #queue: { readonly alone: boolean; readonly enter: () => void }[] = [];

  share<T>(act: () => Promise<T>): Promise<T> {
    return this.#run(act, { alone: false });
  }

  alone<T>(act: () => Promise<T>): Promise<T> {
    return this.#run(act, { alone: true });
  }

  /** For streams, where the act is a loop of the caller's: enter, and leave by the returned function. */
  async enterShared(): Promise<() => void> {
    await this.#enter({ alone: false });
    return () => this.#leave({ alone: false });
  }

  async #run<T>(act: () => Promise<T>, how: { readonly alone: boolean }): Promise<T> {
    await this.#enter(how);
    try {
      return await act();
    } finally {
      this.#leave(how);
    }
  }

  async #enter(how: { readonly alone: boolean }): Promise<void> {
    await new Promise<void>((enter) => {
      this.#queue.push({ alone: how.alone, enter });
      this.#admit();
    });
  }

  #leave(how: { readonly alone: boolean }): void {
    if (how.alone) this.#alone = false;
    else this.#sharing -= 1;
    this.#admit();
  }

  #admit(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (this.#alone || (first.alone && this.#sharing > 0)) return;
      this.#queue.shift();
      if (first.alone) this.#alone = true;
      else this.#sharing += 1;
      first.enter();
    }
  }
}

/** Lets others have their turn in the middle of long synchronous work. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
