import type { DataSnapshot, DataSnapshotVolume } from "@sampan/store";

/**
 * What a snapshot holds of a component's volume. Components are found by id; the name decides only between two installations of one
 * template in an app, whose components have the same ids, and for a component that is not part of what runs.
 */
export function heldVolume(
  snapshot: Pick<DataSnapshot, "volumes">,
  component: { readonly id: string | undefined; readonly name: string },
  volume: string,
): DataSnapshotVolume | undefined {
  const { id } = component;
  const found = snapshot.volumes.filter(
    (one) =>
      one.volume === volume &&
      (id === undefined ? one.component : one.componentId) === (id ?? component.name),
  );
  return found.find((one) => one.component === component.name) ?? (found.length === 1 ? found[0] : undefined);
}
