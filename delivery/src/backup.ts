import type { ReleaseCargo } from "@sampan/bundle";
import type { CargoSource, Digest, HeldImage, OnProgress } from "@sampan/content";
import { isEnded, type RolloutState } from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { DataSnapshot, Installation, StoredApp } from "@sampan/store";
import {
  API_VERSION,
  type App,
  appProblem,
  type Component,
  type PinnedImage,
  releaseOf,
  releaseText,
} from "@sampan/template";
import {
  BACKUP_MEDIA_TYPE,
  BACKUP_ROLE,
  type BackupDocument,
  CARRIER_NAME,
  CARRIER_PREFIX,
} from "./backup-document.ts";
import { type BundleFile, type BundleFiles, cutToBytes } from "./bundle-files.ts";
import { captureImages } from "./capture-images.ts";
import { inOrder, type UsableSnapshot, usableSnapshot } from "./data-content.ts";
import { takeSnapshot } from "./data-snapshots.ts";
import { remarksOfOff } from "./data-wish.ts";
import { cargoOf, PACK_SIZE_BYTES } from "./export.ts";
import { type KeptNames, releasesIn } from "./merge-base.ts";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export interface BackupWish {
  readonly by: Actor;
  readonly appId: string;
  readonly passphrase: string;
  readonly note?: string | undefined;
  /** Data of these components only; of all that have data when absent. */
  readonly components?: readonly string[] | undefined;
  /** Data as this snapshot has it; captured anew when absent. */
  readonly snapshot?: string | undefined;
  /** Of the snapshot and the file that are made: the same when the backup is begun again after a crash. */
  readonly newSnapshotId: string;
  readonly fileId: string;
}

export interface BackupOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface BackedUp {
  readonly file: BundleFile;
  readonly manifestDigest: Digest;
  /** Absent when the app has no data. */
  readonly snapshotId?: string;
  readonly remarks: readonly string[];
}

/** What is said before a backup is made, and after. */
const BACKUP_REMARKS = [
  "settings, answers and secrets are sealed with the passphrase: without it nobody can restore the app",
  "images and what is in the volumes are not sealed: keep the file where the data itself may be kept",
] as const;

/** zstd: what volumes hold is mostly packed already. */
const LEVEL = 3;

/**
 * Writes an app with its releases, images and data into one bundle file, signed by this site; its settings and secrets are sealed. Data
 * is captured first, the ordinary way. Throws what `takeSnapshot` throws, DATA_SNAPSHOT_UNUSABLE, IMAGE_ABSENT,
 * IDENTITY_PASSPHRASE_INVALID, and what `writeBundle` throws; then no file is left.
 */
export async function backUp(
  parts: Parts,
  files: BundleFiles,
  wish: BackupWish,
  options: BackupOptions,
): Promise<BackedUp> {
  const snapshot = await dataOf(parts, wish, options);
  const app = await parts.store.apps.get(wish.appId);
  const images = await captureImages(parts, { app, spec: app.spec }, options);
  const installations = await installationsOf(parts, app.id);
  const document = documentOf(parts, { wish, app, installations, snapshot, images: images.components });
  const sealed = await parts.passphrases.sealWithPassphrase(
    new TextEncoder().encode(JSON.stringify(document)),
    wish.passphrase,
  );
  const cargo = await cargoOf(parts, [...new Set(installations.flatMap(releasesIn))]);
  const carrier = carrierOf(parts, { document, app, images: images.components, snapshot });
  const digest = parts.sha256Bytes(sealed);
  const blob = { digest, mediaType: BACKUP_MEDIA_TYPE, role: BACKUP_ROLE, size: sealed.byteLength };
  const file = await files.beginExport({
    id: wish.fileId,
    name: `${cutToBytes(`${app.slug}-backup-${compactTime(document.madeAt)}`, NAME_BYTES_MAX)}.sampan`,
    teamId: app.teamId,
  });
  try {
    const written = await parts.bundles.writeBundle(
      withBlob(parts.hold, digest, sealed),
      files.contentPath(file.id, file.name),
      {
        releases: [...cargo.releases, carrier],
        blobs: [...cargo.blobs, blob],
        level: LEVEL,
        packSizeBytes: PACK_SIZE_BYTES,
        createdBy: `sampan/${parts.productVersion}`,
        signers: [parts.site.signer],
        ...options,
      },
    );
    return {
      file: await files.seal(file.id, options),
      manifestDigest: written.digest,
      ...(snapshot === undefined ? {} : { snapshotId: snapshot.id }),
      remarks: [...BACKUP_REMARKS, ...remarksOf(wish, app, snapshot)],
    };
  } catch (error) {
    await files.remove(file.id);
    throw error;
  }
}

const NAME_BYTES_MAX = 150;

function remarksOf(wish: BackupWish, app: StoredApp, snapshot: DataSnapshot | undefined): readonly string[] {
  const off = wish.snapshot === undefined && wish.components === undefined ? remarksOfOff(app) : [];
  if (snapshot === undefined) return ["the app has no data: none is in the backup", ...off];
  return wish.snapshot === undefined
    ? off
    : [`its data is as it was at ${snapshot.startedAt}, all else as it is now`];
}

/** A complete snapshot; undefined when the app has no data. One that was begun by an earlier attempt is gone on with. */
async function dataOf(
  parts: Parts,
  wish: BackupWish,
  options: BackupOptions,
): Promise<UsableSnapshot | undefined> {
  const app = await parts.store.apps.get(wish.appId);
  if (wish.snapshot !== undefined) {
    const given = await usableSnapshot(parts, wish.snapshot);
    if (given.appId === app.id) return given;
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", `the data snapshot is not of ${app.name}`, {
      why: `it was taken of ${given.appName}`,
    });
  }
  const id = wish.newSnapshotId;
  try {
    if ((await findSnapshot(parts, id)) === undefined) {
      const { by, components, note } = wish;
      await takeSnapshot(
        parts,
        { by, app, components, snapshotId: id, reason: "backup" },
        { note: note ?? "for a backup" },
      );
    }
  } catch (error) {
    if (isProblem(error, "DATA_ABSENT") && wish.components === undefined) return undefined;
    throw error;
  }
  await waitForSnapshot(parts, id, options);
  return await usableSnapshot(parts, id);
}

async function findSnapshot(parts: Pick<Parts, "store">, id: string): Promise<DataSnapshot | undefined> {
  try {
    return await parts.store.dataSnapshots.get(id);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

/** Until it has ended, and the app with it is up again. */
async function waitForSnapshot(
  parts: Parts,
  id: string,
  { signal, onProgress }: BackupOptions,
): Promise<void> {
  for (;;) {
    const change = nextChange(parts, signal);
    try {
      if (await hasSettled(parts, id)) return;
      onProgress({ stage: "capture", done: (await parts.store.dataSnapshots.get(id)).sizeBytes });
      await change.seen;
    } finally {
      change.forget();
    }
  }
}

async function hasSettled(parts: Parts, id: string): Promise<boolean> {
  const { state, recordId } = await parts.store.dataSnapshots.get(id);
  if (state === "taking") return false;
  const { rolloutId } = recordId === undefined ? {} : await parts.store.records.get(recordId);
  if (rolloutId === undefined) return true;
  return isEnded((await parts.store.rollouts.get(rolloutId)).state as RolloutState);
}

/** Settles with the next change of a rollout or a snapshot, whichever; rejects when the signal aborts. */
function nextChange(
  parts: Parts,
  signal: AbortSignal,
): { readonly seen: Promise<void>; readonly forget: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // It may be left without anybody waiting for it.
  promise.catch(() => undefined);
  const stop = () => reject(signal.reason);
  const unwatch = parts.store.watch(({ noun }) => {
    if (noun === "dataSnapshot" || noun === "rollout") resolve();
  });
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  const forget = () => {
    unwatch();
    signal.removeEventListener("abort", stop);
  };
  return { seen: promise, forget };
}

async function installationsOf(parts: Pick<Parts, "store">, appId: string): Promise<readonly Installation[]> {
  return (await parts.store.installations.list({ kind: "all" }, { appId }, { limit: 200 })).items;
}

interface Gathered {
  readonly wish: BackupWish;
  readonly app: StoredApp;
  readonly installations: readonly Installation[];
  readonly snapshot: UsableSnapshot | undefined;
  readonly images: Readonly<Record<string, PinnedImage>>;
}

function documentOf(
  parts: Pick<Parts, "site" | "nowMs">,
  { wish, app, installations, snapshot, images }: Gathered,
): BackupDocument {
  return {
    formatVersion: 1,
    site: parts.site.id,
    madeAt: isoNow(parts),
    by: wish.by.name,
    ...(wish.note === undefined ? {} : { note: wish.note }),
    app: { name: app.name, stopped: app.stopped },
    spec: withPinned(app.spec, images),
    values: app.values,
    modules: app.modules,
    installations: installations.map(({ id, templateId, releaseDigest, modules, components, names }) => ({
      id,
      templateId,
      releaseDigest,
      modules,
      components,
      names: names as KeptNames,
    })),
    ...(snapshot?.imageId === undefined
      ? {}
      : {
          data: {
            imageId: snapshot.imageId,
            takenAt: snapshot.startedAt,
            volumes: inOrder(snapshot.volumes),
          },
        }),
  };
}

/** Names of images stand for nothing at another site. */
function withPinned(spec: App, images: Readonly<Record<string, PinnedImage>>): App {
  const components = Object.entries(spec.components).map(([name, component]) => {
    const image = images[name];
    return [name, image === undefined ? component : { ...component, image }];
  });
  return { ...spec, components: Object.fromEntries(components) };
}

const TITLE_LENGTH_MAX = 120;

/** A release in name only, so that every reader of bundles finds all images in a release: a component for each image, one for the data. */
function carrierOf(
  parts: Pick<Parts, "sha256">,
  {
    document,
    app,
    images,
    snapshot,
  }: Pick<Gathered, "app" | "images" | "snapshot"> & { readonly document: BackupDocument },
): ReleaseCargo {
  const byId = new Map(Object.values(images).map((image) => [image.id, image]));
  const sorted = [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const all = snapshot === undefined ? sorted : [...sorted, pinOfData(snapshot.image)];
  const components = all.map((image, at): [string, Component] => [
    `part-${at + 1}`,
    { id: `part-${at + 1}`, kind: "stateless", image },
  ]);
  const carrier: App = {
    apiVersion: API_VERSION,
    kind: "App",
    name: "backup",
    components: Object.fromEntries(components),
  };
  const title = `${CARRIER_NAME}${app.title ?? app.name}`.slice(0, TITLE_LENGTH_MAX);
  const template = {
    id: `${CARRIER_PREFIX}${app.slug}`.slice(0, TEMPLATE_ID_LENGTH_MAX).replace(/-+$/, ""),
    name: title,
  };
  const version = compactTime(document.madeAt);
  const { value, faults } = releaseOf(carrier, { template, version, images: { components: {} } });
  if (value === undefined) throw appProblem("what carries the backup", faults);
  const text = releaseText(value);
  return {
    digest: parts.sha256(text),
    bytes: new TextEncoder().encode(text),
    templateId: template.id,
    templateName: title,
    version,
    imageIds: all.map(({ id }) => id),
  };
}

const TEMPLATE_ID_LENGTH_MAX = 63;

function pinOfData({ imageId, os, architecture }: HeldImage): PinnedImage {
  return { id: imageId, name: "data", os, architecture };
}

/** 20261123-182820 */
function compactTime(iso: string): string {
  return iso.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
}

/** The hold, and beside it the one blob that is only for this file. */
function withBlob(hold: CargoSource, digest: Digest, bytes: Uint8Array): CargoSource {
  return {
    image: (imageId) => hold.image(imageId),
    readBlob: async (wanted) => (wanted === digest ? bytes : await hold.readBlob(wanted)),
    recipes: (diffIds) => hold.recipes(diffIds),
    packs: (diffIds, options) => hold.packs(diffIds, options),
    measure: (diffIds) => hold.measure(diffIds),
  };
}
