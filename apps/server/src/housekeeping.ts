import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { dropLostReferences, protectKnownSnapshots } from "@sampan/delivery";
import type { ServerParts } from "./handlers/server-parts.ts";

const DAY_MS = 86_400_000;
const STALE_AFTER_MS = 7 * DAY_MS;
const BACKUPS_KEPT = 7;
const BACKUP = /^sampan-\d{4}-\d{2}-\d{2}\.sqlite$/;

export interface HousekeepingOptions {
  readonly backupsFolder: string;
  readonly onTrouble: (what: string, error: unknown) => void;
}

/** Drops what has had its time, and copies the database once a day. One part that fails does not keep the others from being done. */
export async function housekeep(
  parts: Pick<ServerParts, "store" | "hold" | "files" | "nowMs">,
  options: HousekeepingOptions,
): Promise<void> {
  const nowMs = parts.nowMs();
  const work: Readonly<Record<string, () => Promise<unknown>>> = {
    "drop what is old": () => parts.store.housekeep(),
    "protect the data of snapshots": () => protectKnownSnapshots(parts),
    "let go of data that no snapshot owns": () => dropLostReferences(parts),
    "remove stale bundle files": () =>
      parts.files.removeStale(new Date(nowMs - STALE_AFTER_MS).toISOString()),
    "back the database up": () => backUp(parts, options.backupsFolder, nowMs),
  };
  for (const [what, act] of Object.entries(work)) {
    try {
      await act();
    } catch (error) {
      options.onTrouble(what, error);
    }
  }
}

async function backUp(parts: Pick<ServerParts, "store">, folder: string, nowMs: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const today = `sampan-${new Date(nowMs).toISOString().slice(0, 10)}.sqlite`;
  if ((await readdir(folder)).includes(today)) return;
  await parts.store.backup(join(folder, today));
  // By the time of the file, not by its name: the clock may have been set back.
  const kept = await Promise.all(
    (await readdir(folder))
      .filter((name) => BACKUP.test(name) && name !== today)
      .map(async (name) => ({ name, atMs: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { name } of kept.toSorted((a, b) => b.atMs - a.atMs).slice(BACKUPS_KEPT - 1))
    await rm(join(folder, name));
}

const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 3_600_000;

/** Housekeeping soon after the start and every hour, until the signal aborts. */
export async function keepHouse(
  parts: Pick<ServerParts, "store" | "hold" | "files" | "nowMs" | "sleep">,
  options: HousekeepingOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  try {
    await parts.sleep(FIRST_AFTER_MS, signal);
    while (!signal.aborted) {
      await housekeep(parts, options);
      await parts.sleep(EVERY_MS, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
