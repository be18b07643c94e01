// @ts-check
import { STORY_COMMANDS } from "./debian.mjs";

/**
 * What `npm start`, `npm test` and the others need and run.
 *
 * @typedef {object} Verb
 * @property {"needed" | "welcome" | "unused"} engine welcome: it is used where it answers, and not missed where not
 * @property {readonly import("./debian.mjs").Command[]} commands system commands that must be there
 * @property {readonly string[]} entry what the packaged Node runs, before the user's own arguments
 * @property {string} says one line of help
 */

const SERVER = "apps/server/src/main.ts";
const CHECK = "tools/check/main.ts";

/** @type {Readonly<Record<string, Verb>>} */
export const VERBS = {
  start: { engine: "needed", commands: [], entry: [SERVER], says: "serve, on this machine's engine" },
  dev: {
    engine: "unused",
    commands: [],
    entry: ["--watch", "--watch-preserve-output", SERVER, "--dev"],
    says: "serve from memory with seeded data, and again after every change of a source; no engine",
  },
  check: {
    engine: "unused",
    commands: [],
    entry: [CHECK],
    says: "types, lint, format, tidy, generated files, unit tests",
  },
  test: {
    engine: "needed",
    commands: STORY_COMMANDS,
    entry: [CHECK, "--everything"],
    says: "check, and every test on real engines, and the journeys",
  },
  demo: {
    engine: "needed",
    commands: STORY_COMMANDS,
    entry: ["journeys/demo.ts"],
    says: "a real app crosses an air gap between two engines",
  },
  bench: {
    engine: "needed",
    commands: STORY_COMMANDS,
    entry: ["tools/bench/main.ts"],
    says: "NAME [--json] [--runs N]: measure",
  },
  generate: {
    engine: "unused",
    commands: [],
    entry: ["tools/generate.ts"],
    says: "write the generated files",
  },
  cli: { engine: "unused", commands: [], entry: ["apps/cli/src/main.ts"], says: "the command line client" },
};
