import type { EngineVolume } from "./engine-types.ts";
import { LABEL } from "./labels.ts";

/**
 * The engine cannot rename a volume, its labels never change, and one that is written into, or half removed, cannot be put back. So new
 * content goes into another volume beside the one that is there, of the next turn. While it has a guard, it does not count; removing the
 * guard, which is empty, is the one moment of change:
 *
 *     data     data-r1     data-r1-guard
 *     counts               made
 *     counts   filled      there
 *     over     counts      removed
 *     removed  counts
 *
 * Of one that is over nothing is needed any more: half removed, it hurts nobody. Next time, turn 2 comes after turn 1.
 */
export function countingVolumes(all: readonly EngineVolume[]): readonly EngineVolume[] {
  return sortTurns(all).counting;
}

export interface VolumeTurns {
  /** Of each component's volume the one that holds its content. */
  readonly counting: readonly EngineVolume[];
  /** Those before it. */
  readonly over: readonly EngineVolume[];
  readonly guards: readonly {
    readonly guard: EngineVolume;
    /** {@link markOf} what it guards, which may not be made yet. */
    readonly mark: string;
    readonly guarded: readonly EngineVolume[];
  }[];
}

/** Tells apart what the engine lists in one look. Volumes of other uses are left out. */
export function sortTurns(all: readonly EngineVolume[]): VolumeTurns {
  const guards = all.flatMap((guard) => {
    const guards = guard.Labels?.[LABEL.guards];
    if (guards === undefined) return [];
    const mark = `${guard.Labels?.[LABEL.app]}/${guards}`;
    return [{ guard, mark, guarded: all.filter((one) => markOf(one) === mark) }];
  });
  const guarded = new Set(guards.flatMap((one) => one.guarded));
  const free = all.filter((one) => markOf(one) !== undefined && !guarded.has(one));
  const byKey = Map.groupBy(free, keyOf);
  const sorted = [...byKey.values()].map((turns) => turns.toSorted((a, b) => turnOf(b) - turnOf(a)));
  return {
    counting: sorted.flatMap((turns) => turns.slice(0, 1)),
    over: sorted.flatMap((turns) => turns.slice(1)),
    guards,
  };
}

/** The turn after all that are there. */
export function nextTurn(
  all: readonly EngineVolume[],
  volume: { readonly app: string; readonly owner: string; readonly volume: string },
): number {
  const key = `${volume.app}/${volume.owner}/${volume.volume}`;
  return 1 + Math.max(0, ...all.filter((one) => keyOf(one) === key).map(turnOf));
}

/** `app/component/volume/turn`; undefined for what is no component's volume. */
export function markOf(volume: EngineVolume): string | undefined {
  const { [LABEL.component]: owner, [LABEL.volume]: name } = volume.Labels ?? {};
  return owner === undefined || name === undefined ? undefined : `${keyOf(volume)}/${turnOf(volume)}`;
}

function keyOf({ Labels }: EngineVolume): string {
  return `${Labels?.[LABEL.app]}/${Labels?.[LABEL.component]}/${Labels?.[LABEL.volume]}`;
}

function turnOf({ Labels }: EngineVolume): number {
  const turn = Number(Labels?.[LABEL.turn]);
  return Number.isSafeInteger(turn) && turn > 0 ? turn : 0;
}
