// What the hold keeps of data snapshots:
//   data/<snapshot>/<diffID>   a volume that was captured, until the snapshot is complete
//   data/<snapshot>            the whole: an image whose layers are the volumes, sorted by component and volume
import { type Digest, type HeldImage, MEDIA_TYPE } from "@sampan/content";
import type { Plan } from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { DataSnapshot, DataSnapshotState, DataSnapshotVolume } from "@sampan/store";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

const PREFIX = "data/";
const REFERENCES_AT_ONCE = 1000;

/** A layer that nothing refers to goes with the next pruning. */
export async function protectVolume(
  parts: Pick<Parts, "hold">,
  snapshotId: string,
  { diffId, size }: { readonly diffId: Digest; readonly size: number },
): Promise<void> {
  const target = { mediaType: MEDIA_TYPE.ociLayerTar, digest: diffId, size };
  await parts.hold.setReference(`${PREFIX}${snapshotId}/${diffId}`, target);
}

/** Ends a snapshot well once every volume that the plan captures is in it. Says whether that was now. Done twice is done once. */
export async function completeSnapshot(
  parts: Parts,
  plan: Pick<Plan, "steps">,
  snapshotId: string,
): Promise<boolean> {
  const snapshot = await parts.store.dataSnapshots.get(snapshotId);
  if (snapshot.state !== "taking") {
    if (snapshot.state === "complete") await dropLayerReferences(parts, snapshotId);
    return false;
  }
  const isHere = (component: string, volume: string) =>
    snapshot.volumes.some((one) => one.component === component && one.volume === volume);
  const wanted = plan.steps.flatMap((step) =>
    step.kind === "data.capture" ? step.volumes.map((volume) => isHere(step.component, volume)) : [],
  );
  if (!wanted.every(Boolean)) return false;
  const { architecture } = await parts.driver.capabilities();
  const { imageId } = await keepDataImage(parts, snapshot, architecture);
  await parts.store.dataSnapshots.complete(snapshotId, { imageId });
  await dropLayerReferences(parts, snapshotId);
  return true;
}

async function keepDataImage(parts: Parts, snapshot: DataSnapshot, architecture: string): Promise<HeldImage> {
  const config = dataImageConfig(snapshot, architecture);
  const image = await parts.hold.addImage({ imageId: parts.sha256Bytes(config), config });
  await protectSnapshot(parts, snapshot.id, image);
  return image;
}

export async function protectSnapshot(
  parts: Pick<Parts, "hold">,
  snapshotId: string,
  image: HeldImage,
): Promise<void> {
  await parts.hold.setReference(`${PREFIX}${snapshotId}`, image.manifest);
}

/** The order of the volumes in the image of a snapshot. */
export function inOrder(volumes: readonly DataSnapshotVolume[]): readonly DataSnapshotVolume[] {
  const key = ({ component, volume }: DataSnapshotVolume) => `${component}/${volume}`;
  return volumes.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** An image config of OCI image-spec 1.1 that no engine starts: the same volumes of the same app give the same bytes. */
function dataImageConfig(snapshot: DataSnapshot, architecture: string): Uint8Array {
  const volumes = inOrder(snapshot.volumes);
  const labels = volumes.map(
    ({ component, componentId, volume }, at) =>
      [`sampan.data.${String(at).padStart(3, "0")}`, `${component}/${volume} ${componentId}`] as const,
  );
  return new TextEncoder().encode(
    JSON.stringify({
      architecture,
      config: { Labels: { "sampan.data": snapshot.appId, ...Object.fromEntries(labels) } },
      os: "linux",
      rootfs: { diff_ids: volumes.map((one) => one.diffId), type: "layers" },
    }),
  );
}

export type UsableSnapshot = DataSnapshot & { readonly imageId: Digest; readonly image: HeldImage };

/** A snapshot that can be put back. Throws DATA_SNAPSHOT_UNUSABLE when it is not complete, or the hold lacks its content. */
export async function usableSnapshot(
  parts: Pick<Parts, "store" | "hold">,
  snapshotId: string,
): Promise<UsableSnapshot> {
  const snapshot = await parts.store.dataSnapshots.get(snapshotId);
  const of = `the data snapshot ${snapshotId} of ${snapshot.appName}`;
  const { imageId } = snapshot;
  if (snapshot.state !== "complete" || imageId === undefined)
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", `${of} cannot be used`, {
      why: snapshot.state === "taking" ? "it is still being taken" : (snapshot.message ?? "it failed"),
      hint: "choose another: sampan snapshot list",
    });
  const image = await parts.hold.image(imageId);
  if (image === undefined)
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", `${of} has no content any more`, {
      why: `the hold lacks ${imageId}`,
      hint: "choose another (sampan snapshot list); what the hold lacks is told by its check",
    });
  return { ...snapshot, imageId, image };
}

/**
 * Takes away every name that protects data of a snapshot that is gone or has failed, and single volumes of one that is complete: what a
 * server could not clear away any more. The room is freed by the next pruning.
 */
export async function dropLostReferences(parts: Pick<Parts, "store" | "hold">): Promise<void> {
  const states = new Map<string, DataSnapshotState | "gone">();
  let after: string | undefined;
  for (;;) {
    const page = await parts.hold.listReferences(
      PREFIX,
      after === undefined ? { limit: REFERENCES_AT_ONCE } : { limit: REFERENCES_AT_ONCE, after },
    );
    for (const { name } of page) {
      const [, id = "", volume] = name.split("/");
      const state = states.get(id) ?? (await stateOf(parts, id));
      states.set(id, state);
      if (state !== "taking" && (state !== "complete" || volume !== undefined))
        await parts.hold.removeReference(name);
    }
    if (page.length < REFERENCES_AT_ONCE) return;
    after = page.at(-1)?.name;
  }
}

/**
 * Protects again what complete snapshots hold. The names go where the database was lost for a while, and nothing else would stand between
 * the data and the next pruning once a copy of it is put back.
 */
export async function protectKnownSnapshots(parts: Pick<Parts, "store" | "hold">): Promise<void> {
  let after: string | undefined;
  do {
    const { items, next } = await parts.store.dataSnapshots.list(
      { kind: "all" },
      { state: "complete" },
      after === undefined ? { limit: 200 } : { limit: 200, after },
    );
    for (const { id, imageId } of items) {
      if (imageId === undefined || (await parts.hold.getReference(`${PREFIX}${id}`)) !== undefined) continue;
      const image = await parts.hold.image(imageId);
      if (image !== undefined) await protectSnapshot(parts, id, image);
    }
    after = next;
  } while (after !== undefined);
}

async function stateOf(parts: Pick<Parts, "store">, snapshotId: string): Promise<DataSnapshotState | "gone"> {
  try {
    return (await parts.store.dataSnapshots.get(snapshotId)).state;
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return "gone";
    throw error;
  }
}

async function dropLayerReferences(parts: Pick<Parts, "hold">, snapshotId: string): Promise<void> {
  for (;;) {
    const page = await parts.hold.listReferences(`${PREFIX}${snapshotId}/`, { limit: REFERENCES_AT_ONCE });
    for (const { name } of page) await parts.hold.removeReference(name);
    if (page.length < REFERENCES_AT_ONCE) return;
  }
}
