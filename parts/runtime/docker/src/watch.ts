import type { Change, Changes } from "./changes.ts";

/** Changes not yet taken by a slow reader; older ones are dropped, since a look makes up for them. */
const WAITING_MAX = 1000;

/** Yields changes until the signal aborts. */
export async function* watchChanges(
  changes: Changes,
  signal: AbortSignal,
): AsyncGenerator<{ readonly app: string; readonly component?: string; readonly what: string }> {
  const waiting: Change[] = [];
  let wake: (() => void) | undefined;
  const stop = changes.listen((change) => {
    waiting.push(change);
    if (waiting.length > WAITING_MAX) waiting.shift();
    wake?.();
  });
  const abort = () => wake?.();
  signal.addEventListener("abort", abort);
  try {
    while (!signal.aborted) {
      const change = waiting.shift();
      if (change === undefined)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      else {
        const { app, component, what } = change;
        yield { app, what, ...(component === undefined ? {} : { component }) };
      }
    }
  } finally {
    stop();
    signal.removeEventListener("abort", abort);
  }
}
