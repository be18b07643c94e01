import type { LogLine } from "@sampan/runtime";

export interface MergedLine extends LogLine {
  readonly component: string;
  readonly index: number;
}

interface Source {
  readonly index: number;
  readonly lines: AsyncIterable<LogLine>;
}

/** Lines of several instances as one stream: by time when all are read to their end, as they come when they are followed. */
export async function* mergeLogs(
  component: string,
  sources: readonly Source[],
  options: { readonly follow: boolean },
): AsyncGenerator<MergedLine> {
  const open = sources.map(({ index, lines }) => ({ index, iterator: lines[Symbol.asyncIterator]() }));
  const ask = async (source: (typeof open)[number]) => ({ source, result: await source.iterator.next() });
  const waiting = new Map(open.map((source) => [source, ask(source)]));
  try {
    while (waiting.size > 0) {
      const { source, result } = await (options.follow ? Promise.race(waiting.values()) : earliest(waiting));
      if (result.done === true) {
        waiting.delete(source);
        continue;
      }
      waiting.set(source, ask(source));
      yield { ...result.value, component, index: source.index };
    }
  } finally {
    for (const { iterator } of open) void iterator.return?.().catch(() => undefined);
  }
}

type Answer<S> = { readonly source: S; readonly result: IteratorResult<LogLine> };

async function earliest<S>(waiting: ReadonlyMap<S, Promise<Answer<S>>>): Promise<Answer<S>> {
  const answers = await Promise.all(waiting.values());
  const ended = answers.find((answer) => answer.result.done === true);
  if (ended !== undefined) return ended;
  return answers.reduce((first, answer) =>
    String(answer.result.value.at) < String(first.result.value.at) ? answer : first,
  );
}
