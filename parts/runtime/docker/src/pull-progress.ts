import type { Progress } from "@sampan/content";

/** One line of what the engine streams while it pulls. */
export interface PullLine {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** Adds up the downloads of all layers, in bytes. */
export class PullProgress {
  readonly #stage: string;
  readonly #layers = new Map<string, { done: number; total: number }>();

  constructor(stage: string) {
    this.#stage = stage;
  }

  /** The progress after this line; undefined when the line tells nothing new of it. */
  take({ status, id, progressDetail }: PullLine): Progress | undefined {
    if (id === undefined) return undefined;
    const layer = this.#layers.get(id) ?? { done: 0, total: 0 };
    if (status === "Downloading") {
      layer.total = progressDetail?.total ?? layer.total;
      layer.done = progressDetail?.current ?? layer.done;
    } else if (status === "Download complete") layer.done = layer.total;
    else return undefined;
    this.#layers.set(id, layer);
    const all = [...this.#layers.values()];
    const sum = (of: (one: { done: number; total: number }) => number) =>
      all.reduce((total, one) => total + of(one), 0);
    return { stage: this.#stage, done: sum((one) => one.done), total: sum((one) => one.total) };
  }
}
