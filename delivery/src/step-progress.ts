import type { Progress } from "@sampan/content";

/** How far the steps under way have come. It is told to whoever looks, and forgotten with the process: a step that is begun again tells it anew. */
export class StepProgress {
  readonly #running = new Map<string, Progress>();

  note(rolloutId: string, stepId: string, progress: Progress): void {
    this.#running.set(`${rolloutId}/${stepId}`, progress);
  }

  of(rolloutId: string, stepId: string): Progress | undefined {
    return this.#running.get(`${rolloutId}/${stepId}`);
  }

  end(rolloutId: string, stepId: string): void {
    this.#running.delete(`${rolloutId}/${stepId}`);
  }
}
