import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository as tidy sees it: texts by path, and the rooms that the workspace list names. */
export interface Repository {
  readonly texts: ReadonlyMap<string, string>;
  readonly rooms: readonly Room[];
}

export interface Room {
  /** Relative to the root: `core/template`. */
  readonly path: string;
  /** The name it is imported by: `@sampan/template`. */
  readonly name: string;
  readonly floor: Floor;
  /** Its place in the workspace list. */
  readonly order: number;
  /** The doors: subpaths of `exports`, as written there. */
  readonly doors: readonly string[];
  /** Packages that its package.json names. */
  readonly dependencies: readonly string[];
}

/** Bottom up. Tools and journeys stand outside the house and look in. */
export const FLOORS = ["core", "parts", "delivery", "apps", "journeys", "tools"] as const;
export type Floor = (typeof FLOORS)[number];

const TEXT_FILES = /(\.(ts|tsx|mjs|js|json|md|sh|yml|yaml|html|css|toml)|Dockerfile|\.ci\/run)$/;
const LEFT_OUT = new Set([
  "node_modules",
  "testdata",
  "dist",
  "coverage",
  "package-lock.json",
  ".git",
  ".sampan",
]);

export function readRepository(root: string): Repository {
  const texts = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (LEFT_OUT.has(entry.name)) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && TEXT_FILES.test(path))
        texts.set(path, readFileSync(join(root, path), "utf8"));
    }
  };
  visit("");
  return repositoryOf(texts);
}

export function repositoryOf(texts: ReadonlyMap<string, string>): Repository {
  const rooms = workspacesOf(texts).flatMap((path, order) => {
    const manifest = texts.get(`${path}/package.json`);
    return manifest === undefined ? [] : [roomOf(path, order, JSON.parse(manifest) as Manifest)];
  });
  return { texts, rooms };
}

interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
}

export function manifestOf(texts: ReadonlyMap<string, string>, folder: string): Manifest {
  return JSON.parse(texts.get(folder === "" ? "package.json" : `${folder}/package.json`) ?? "{}") as Manifest;
}

export function workspacesOf(texts: ReadonlyMap<string, string>): readonly string[] {
  return manifestOf(texts, "").workspaces ?? [];
}

function roomOf(path: string, order: number, manifest: Manifest): Room {
  return {
    path,
    order,
    name: manifest.name ?? "",
    floor: floorOf(path),
    doors: Object.keys(manifest.exports ?? {}),
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
  };
}

export function floorOf(path: string): Floor {
  const floor = FLOORS.find((name) => path === name || path.startsWith(`${name}/`));
  if (floor === undefined) throw new Error(`${path} is on no floor: ${FLOORS.join(", ")}`);
  return floor;
}

/** The innermost room that a file lies in. */
export function roomOfFile(repository: Repository, path: string): Room | undefined {
  const around = repository.rooms.filter((room) => path.startsWith(`${room.path}/`));
  return around.sort((left, right) => right.path.length - left.path.length)[0];
}

/** The room whose folder lies around this one's, where there is one. */
export function parentOf(repository: Repository, room: Room): Room | undefined {
  return roomOfFile(repository, room.path);
}
