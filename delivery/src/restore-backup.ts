import type { Bundle } from "@sampan/bundle";
import { isProblem } from "@sampan/problem";
import type { AppValues, Nouns, StoredApp } from "@sampan/store";
import type { App } from "@sampan/template";
import { newApp } from "./apps.ts";
import {
  BACKUP_ROLE,
  type BackedUpData,
  type BackupDocument,
  parseBackupDocument,
} from "./backup-document.ts";
import { readOfBundle } from "./bundle-part.ts";
import { change, type NewApp } from "./change.ts";
import { protectSnapshot } from "./data-content.ts";
import { restoreWish } from "./data-wish.ts";
import { allApps } from "./host-ports.ts";
import { type ImportOptions, importRelease } from "./import.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export interface RestoreBackupWish {
  readonly by: Actor;
  readonly path: string;
  readonly fileName: string;
  readonly teamId: string;
  /** Of the app that is made: the same when the restoring is begun again after a crash. */
  readonly newAppId: string;
  /** As it was called when absent. */
  readonly appName?: string | undefined;
  readonly passphrase: string;
  readonly allowUnsigned: boolean;
  readonly note?: string | undefined;
  /** Goes on although checks of the site failed; the record keeps them. */
  readonly ignorePreflight?: boolean | undefined;
}

export interface RestoredBackup {
  readonly appId: string;
  readonly appName: string;
  readonly recordId: string;
  /** It is done when this has succeeded. */
  readonly rolloutId: string;
  readonly remarks: readonly string[];
}

/**
 * Makes an app from a backup: its releases into the library, its settings with the secrets that were made for it, its data. Signature,
 * passphrase and name are checked before anything changes. Throws BACKUP_INVALID, IDENTITY_PASSPHRASE_WRONG, APP_EXISTS, and what
 * `importRelease` and `change` throw.
 */
export async function restoreBackup(
  parts: Parts,
  wish: RestoreBackupWish,
  options: ImportOptions,
): Promise<RestoredBackup> {
  const done = await restoredBefore(parts, wish);
  if (done !== undefined) return done;
  const opened: { document?: BackupDocument; app?: NewApp } = {};
  const { path, fileName, teamId, allowUnsigned, by } = wish;
  await importRelease(
    parts,
    { path, fileName, teamId, allowUnsigned, by, scope: "team" },
    {
      ...options,
      onVerified: async (bundle) => {
        opened.document = await openBackup(parts, bundle, wish.passphrase);
        const name = wish.appName ?? opened.document.app.name;
        opened.app = { ...(await newApp(parts, { teamId, name })), id: wish.newAppId };
      },
    },
  );
  const { document, app } = opened;
  if (document === undefined || app === undefined) throw notABackup();
  await options.onStep?.("app");
  return await makeApp(parts, { wish, document, app });
}

/** The app is made in one transaction: when it is there, all was done. */
async function restoredBefore(parts: Parts, wish: RestoreBackupWish): Promise<RestoredBackup | undefined> {
  const app = await findApp(parts, wish.newAppId);
  if (app === undefined) return undefined;
  const { items } = await parts.store.records.list({ kind: "all" }, { appId: app.id }, { limit: 200 });
  const record = items.at(-1);
  return {
    appId: app.id,
    appName: app.name,
    recordId: record?.id ?? "",
    rolloutId: record?.rolloutId ?? "",
    remarks: [],
  };
}

async function findApp(parts: Parts, id: string): Promise<StoredApp | undefined> {
  try {
    return await parts.store.apps.get(id);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

async function openBackup(parts: Parts, bundle: Bundle, passphrase: string): Promise<BackupDocument> {
  const blob = bundle.document.blobs.find((one) => one.role === BACKUP_ROLE);
  if (blob === undefined) throw notABackup();
  const sealed = await readOfBundle(parts, bundle, blob.digest);
  if (bundle.part.kind !== "whole" || sealed === undefined)
    throw deliveryProblem("BACKUP_INVALID", "the file is only a part of a backup", {
      hint: "a part is imported with `sampan import`; to restore, take the backup itself",
    });
  return parseBackupDocument(await parts.passphrases.openWithPassphrase(sealed, passphrase));
}

function notABackup() {
  return deliveryProblem("BACKUP_INVALID", "the file is not the backup of an app", {
    why: "it is a bundle that carries releases only",
    hint: "import it, and install a release from the library",
  });
}

interface Making {
  readonly wish: RestoreBackupWish;
  readonly document: BackupDocument;
  readonly app: NewApp;
}

async function makeApp(parts: Parts, { wish, document, app }: Making): Promise<RestoredBackup> {
  const installationIds = new Map(document.installations.map(({ id }) => [id, parts.newId("ins")]));
  const spec = ownSpec(document.spec, app.name, installationIds);
  const snapshotId = parts.newId("snp");
  const { data } = document;
  const restoring =
    data === undefined ? undefined : restoreWish(spec, { id: snapshotId, volumes: data.volumes });
  if (data !== undefined) await protectData(parts, snapshotId, data);
  const { recordId = "", rolloutId = "" } = await change(
    parts,
    {
      kind: "install",
      by: wish.by,
      app,
      spec,
      values: await freeValues(parts, document.values),
      modules: document.modules,
      stopped: document.app.stopped,
      onFailure: "hold",
      ...(restoring === undefined ? {} : { data: { restore: restoring.restore } }),
      alsoKeep: (nouns) => keepBackedUp(nouns, { wish, document, app, installationIds, snapshotId }),
    },
    { note: noteOf(wish, document), ignorePreflight: wish.ignorePreflight === true },
  );
  // Between the first time and the row that stands for it, somebody may have cleared away what seemed to belong to nothing.
  if (data !== undefined) await protectData(parts, snapshotId, data);
  return { appId: app.id, appName: app.name, recordId, rolloutId, remarks: restoring?.remarks ?? [] };
}

/** Ids of installations are new ones, for a site has each once; ids of components are theirs for ever. */
function ownSpec(spec: App, name: string, installationIds: ReadonlyMap<string, string>): App {
  const components = Object.entries(spec.components).map(([component, { installation, ...rest }]) => {
    const id = installation === undefined ? undefined : installationIds.get(installation);
    return [component, id === undefined ? rest : { ...rest, installation: id }];
  });
  return { ...spec, name, components: Object.fromEntries(components) };
}

async function protectData(
  parts: Parts,
  snapshotId: string,
  { imageId, volumes }: BackedUpData,
): Promise<void> {
  const image = await parts.hold.image(imageId);
  const layers = new Set(image?.layers.map((layer) => layer.diffId));
  const missing = volumes.find((one) => !layers.has(one.diffId));
  if (image === undefined || missing !== undefined)
    throw deliveryProblem("BACKUP_INVALID", "the backup lacks the data that it tells of", {
      why:
        missing === undefined
          ? `the image ${imageId} did not come with it`
          : `${missing.component}/${missing.volume} did not come with it`,
      hint: "make the backup again",
    });
  await protectSnapshot(parts, snapshotId, image);
}

/** All answers and secrets are kept. Ports of the machine are, as far as no other app has them; others are given out anew. */
async function freeValues(parts: Parts, values: AppValues): Promise<AppValues> {
  const taken = new Set<number>();
  for await (const { id } of allApps(parts))
    for (const port of Object.values((await parts.store.apps.get(id)).values.hostPorts)) taken.add(port);
  const free = Object.entries(values.hostPorts).filter(([, port]) => !taken.has(port));
  return { ...values, hostPorts: Object.fromEntries(free) };
}

const NOTE_LENGTH_MAX = 4000;

function noteOf({ note }: RestoreBackupWish, { app, site, madeAt, by }: BackupDocument): string {
  const from = `restored from a backup of ${app.name}, made at site ${site} by ${by} at ${madeAt}`;
  return (note === undefined ? from : `${note} (${from})`).slice(0, NOTE_LENGTH_MAX);
}

/** What makes it the app that it was: its installations, and its data as a snapshot of its own. */
async function keepBackedUp(
  nouns: Nouns,
  of: Making & { readonly installationIds: ReadonlyMap<string, string>; readonly snapshotId: string },
): Promise<void> {
  const { wish, document, app, installationIds, snapshotId } = of;
  for (const { id, ...installation } of document.installations) {
    const own = installationIds.get(id) ?? id;
    await nouns.installations.create({ ...installation, id: own, appId: app.id, state: "installed" });
  }
  if (document.data === undefined) return;
  const { id: appId, name: appName, teamId } = app;
  const note = noteOf(wish, document);
  await nouns.dataSnapshots.begin({
    id: snapshotId,
    appId,
    appName,
    teamId,
    reason: "backup",
    who: wish.by.name,
    note,
  });
  for (const volume of document.data.volumes) await nouns.dataSnapshots.addVolume(snapshotId, volume);
  await nouns.dataSnapshots.complete(snapshotId, { imageId: document.data.imageId });
}
