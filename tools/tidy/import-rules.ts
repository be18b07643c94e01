import { isBuiltin } from "node:module";
import { dirname, join } from "node:path/posix";
import { FLOORS, manifestOf, parentOf, type Repository, type Room, roomOfFile } from "./repository.ts";
import { type Rule, sourceRule } from "./rule.ts";
import type { ImportUse, SourceFile } from "./source-file.ts";

/** Who may import what. The workspace list is the map: it is ordered, the pure rooms first. */

const level = (room: Room) => FLOORS.indexOf(room.floor);

/** The room that an import by name leads to; relative imports and packages lead to none. */
function roomBehind(repository: Repository, { specifier }: ImportUse): Room | undefined {
  return repository.rooms.find((room) => specifier === room.name || specifier.startsWith(`${room.name}/`));
}

function isDriver(repository: Repository, room: Room): boolean {
  return parentOf(repository, room)?.path === "parts/runtime";
}

const importsPointDown = sourceRule(
  {
    name: "imports point down",
    why: "A room is understood with what lies below it alone; parts never meet, so that each can be replaced.",
  },
  (source, report, repository) => {
    for (const use of source.imports) {
      const target = roomBehind(repository, use);
      if (target === undefined || target === source.room) continue;
      const sameFloor = target.floor === source.room.floor;
      const allowed = sameFloor
        ? (source.room.floor === "core" && target.order < source.room.order) ||
          parentOf(repository, source.room) === target
        : level(target) < level(source.room);
      if (!allowed) report(use.start, `${source.room.path} may not import ${target.path}`);
    }
  },
);

const roomsHaveOneDoor = sourceRule(
  {
    name: "a room is entered by its door",
    why: "What a room exports is a promise; what lies behind the door may change without asking anybody.",
  },
  (source, report, repository) => {
    for (const use of source.imports) {
      if (use.specifier.startsWith(".")) {
        const target = join(dirname(source.path), use.specifier);
        const room = roomOfFile(repository, target);
        if (room !== source.room)
          report(use.start, `${use.specifier} leaves the room: import ${room?.name ?? "nothing there"}`);
        continue;
      }
      const room = roomBehind(repository, use);
      const door = room === undefined ? "." : `.${use.specifier.slice(room.name.length)}`;
      if (room !== undefined && !room.doors.includes(door))
        report(use.start, `${use.specifier} is no door of ${room.path}`);
    }
  },
);

/** What a script that runs before anything is installed may use. */
const BUILT_INS_ONLY = /^tools\/(run\.mjs|bootstrap\/[a-z-]+\.mjs|base-image\/[a-z-]+\.mjs)$/;

const dependenciesAreDeclared = sourceRule(
  {
    name: "every package that is imported is declared by the room",
    why: "npm hoists everything to the root, so an import that works here by luck breaks when another room changes.",
  },
  (source, report, repository) => {
    const root = Object.keys(manifestOf(repository.texts, "").devDependencies ?? {});
    const allowed = [source.room.name, ...source.room.dependencies, ...(source.isTest ? root : [])];
    for (const use of source.imports) {
      if (use.specifier.startsWith(".") || isBuiltin(use.specifier)) continue;
      const name = use.specifier.split("/", use.specifier.startsWith("@") ? 2 : 1).join("/");
      if (BUILT_INS_ONLY.test(source.path))
        report(use.start, `${name}: this runs before anything is installed`);
      else if (!allowed.includes(name))
        report(use.start, `${name} is not in ${source.room.path}/package.json`);
    }
  },
);

const onlyTheServerNamesADriver = sourceRule(
  {
    name: "only apps/server names a concrete driver",
    why: "Everybody else speaks to the Driver interface, so that a new driver changes one file.",
  },
  (source, report, repository) => {
    if (source.room.path === "apps/server") return;
    for (const use of source.imports) {
      const target = roomBehind(repository, use);
      if (target !== undefined && target !== source.room && isDriver(repository, target))
        report(use.start, `${target.name} is a concrete driver`);
    }
  },
);

const deliveryKnowsPartsByType = sourceRule(
  {
    name: "delivery imports parts with `import type` only",
    why: "The story gets its parts as arguments; that is how it is told over memory parts, and crashed at every step.",
  },
  (source, report, repository) => {
    if (source.room.floor !== "delivery" || source.isTest) return;
    for (const use of source.imports)
      if (roomBehind(repository, use)?.floor === "parts" && !use.typeOnly)
        report(use.start, `${use.specifier} is imported as a value`);
  },
);

/** Rooms that stand outside the server, and what they may know besides core. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  "apps/cli": ["parts/bundle"],
  "apps/console": [],
  journeys: [],
};

const clientsKnowCoreOnly = sourceRule(
  {
    name: "the clients import core only (the CLI also parts/bundle)",
    why: "They have no privileges: whatever they can do, everybody can do over the API.",
  },
  (source, report, repository) => {
    const also = CLIENTS[source.room.path];
    if (also === undefined) return;
    for (const use of source.imports) {
      const target = roomBehind(repository, use);
      const known =
        target === undefined ||
        target === source.room ||
        target.floor === "core" ||
        also.includes(target.path);
      if (!known) report(use.start, `${source.room.path} may not import ${target.path}`);
    }
  },
);

export function isPureRoom(source: SourceFile): boolean {
  return source.room.floor === "core" && !source.isTest;
}

export const IMPORT_RULES: readonly Rule[] = [
  importsPointDown,
  roomsHaveOneDoor,
  dependenciesAreDeclared,
  onlyTheServerNamesADriver,
  deliveryKnowsPartsByType,
  clientsKnowCoreOnly,
];
