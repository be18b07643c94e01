/** What a bench is: sets of input, and methods that are measured side by side on each. */
export interface Bench {
  readonly name: string;
  /** One line: what is compared. */
  readonly says: string;
  /** How often each method runs where nothing else is asked for. */
  readonly runs: number;
  /** Makes the input. What it holds is disposed of after the last run. */
  prepare(): Promise<PreparedBench>;
}

export interface PreparedBench extends AsyncDisposable {
  readonly sets: readonly BenchSet[];
}

export interface BenchSet {
  readonly name: string;
  readonly methods: Readonly<Record<string, () => Promise<Measure>>>;
}

/** One run of one method; a field that does not apply is absent. */
export interface Measure {
  readonly sizeBytes?: number;
  readonly wallSeconds?: number;
  readonly cpuSeconds?: number;
  readonly peakRssBytes?: number;
  readonly heapBytes?: number;
  /** How many things it was done to: the table then says what one of them takes. */
  readonly items?: number;
}

export interface BenchRow extends Measure {
  readonly set: string;
  readonly method: string;
}

const FIELDS = ["sizeBytes", "wallSeconds", "cpuSeconds", "peakRssBytes", "heapBytes", "items"] as const;

/**
 * Runs every method `runs` times, interleaved and each round in another order, so that a slow minute of the machine
 * hits all alike; gives medians.
 */
export async function runBench(
  sets: readonly BenchSet[],
  { runs, onRun }: { readonly runs: number; readonly onRun: (text: string) => void },
): Promise<readonly BenchRow[]> {
  const measured = new Map<
    string,
    { readonly set: string; readonly method: string; readonly runs: Measure[] }
  >();
  for (let round = 0; round < runs; round += 1) {
    for (const { name: set, methods } of sets) {
      for (const [method, run] of rotated(Object.entries(methods), round)) {
        onRun(`${set}, ${method}: run ${round + 1} of ${runs}`);
        const key = JSON.stringify([set, method]);
        const row = measured.get(key) ?? { set, method, runs: [] };
        row.runs.push(await run());
        measured.set(key, row);
      }
    }
  }
  return sets.flatMap(({ name: set, methods }) =>
    Object.keys(methods).map((method) => {
      const row = measured.get(JSON.stringify([set, method]));
      return { set, method, ...medians(row?.runs ?? []) };
    }),
  );
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function medians(runs: readonly Measure[]): Measure {
  const fields = FIELDS.flatMap((field) => {
    const values = runs.map((run) => run[field]).filter((value) => value !== undefined);
    return values.length === 0 ? [] : [[field, median(values)] as const];
  });
  return Object.fromEntries(fields);
}

/** The middle value; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}
