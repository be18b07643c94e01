import { FLOORS, floorOf, manifestOf, workspacesOf } from "./repository.ts";
import type { Finding, Rule } from "./rule.ts";

/** What makes a folder a room, and the list of rooms a map. */

const everyRoomHasACard: Rule = {
  name: "every room has a card",
  why: "README.md says what a room is for, what it never does and what to read first, before anybody opens a file.",
  check({ texts, rooms }) {
    return rooms.flatMap((room): Finding[] => {
      const path = `${room.path}/README.md`;
      const card = texts.get(path);
      if (card === undefined) return [{ path, message: "is missing" }];
      return ["**Never**", "Read first"]
        .filter((words) => !card.includes(words))
        .map((words) => ({ path, message: `does not say "${words}"` }));
    });
  },
};

const theListIsTheMap: Rule = {
  name: "the workspace list is explicit, complete, and in the order of the floors",
  why: "It is the table of contents: a glob hides a new room, and a wrong order hides an arrow that points up.",
  check({ texts }) {
    const path = "package.json";
    const listed = workspacesOf(texts);
    const findings: Finding[] = [];
    for (const room of listed) {
      if (room.includes("*")) findings.push({ path, message: `${room} is a glob` });
      else if (!texts.has(`${room}/package.json`))
        findings.push({ path, message: `${room} has no package.json` });
    }
    const levels = listed.filter((room) => !room.includes("*")).map((room) => FLOORS.indexOf(floorOf(room)));
    if (levels.some((level, index) => level < (levels[index - 1] ?? 0)))
      findings.push({ path, message: `the floors are not in the order ${FLOORS.join(", ")}` });
    for (const manifest of texts.keys()) {
      const room = /^((?:core|parts|delivery|apps|journeys|tools)(?:\/.*)?)\/package\.json$/.exec(
        manifest,
      )?.[1];
      if (room !== undefined && !listed.includes(room))
        findings.push({ path: manifest, message: "is not in the workspace list" });
    }
    return findings;
  },
};

const versionsAreExact: Rule = {
  name: "every dependency is pinned to one version",
  why: "Two machines that build the same commit get the same bytes, next year too.",
  check({ texts, rooms }) {
    return ["", ...rooms.map((room) => room.path)].flatMap((folder) => {
      const { dependencies, devDependencies } = manifestOf(texts, folder);
      const path = folder === "" ? "package.json" : `${folder}/package.json`;
      return Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]): Finding => ({ path, message: `${name}: ${version} is not one version` }));
    });
  },
};

export const ROOM_RULES: readonly Rule[] = [everyRoomHasACard, theListIsTheMap, versionsAreExact];
