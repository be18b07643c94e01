#!/usr/bin/env node
// @ts-check
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureCommands } from "./bootstrap/debian.mjs";
import { ensureDependencies } from "./bootstrap/dependencies.mjs";
import { dockerHostOf, engineCandidates, findEngine } from "./bootstrap/engine.mjs";
import { Failure, renderFailure } from "./bootstrap/failure.mjs";
import { checkMachine, chooseNode, thisMachine } from "./bootstrap/packaged-node.mjs";
import { childEnvironment, runChild } from "./bootstrap/run-child.mjs";
import { ensureEngine } from "./bootstrap/start-engine.mjs";
import { VERBS } from "./bootstrap/verbs.mjs";

/**
 * The way in: `npm start`, `npm test` and the others. On a fresh clone it brings what is missing (dependencies, Node,
 * engine), then runs the sources. It needs Node 20 and nothing else, so it imports built-ins only.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {readonly string[]} argv */
async function main([name = "", ...args]) {
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined)
    throw new Failure("VERB_UNKNOWN", name ? `there is no ${name} here` : "what shall be run?", {
      why: `it is none of ${Object.keys(VERBS).join(", ")}`,
      fix: "npm start, npm test, npm run dev, npm run check, npm run demo, npm run bench, npm run sampan",
    });
  checkMachine(thisMachine());
  const dockerHost = await engineFor(verb);
  ensureCommands(verb.commands);
  ensureDependencies(root);
  const node = chooseNode(root);
  const entry = verb.entry.map((word) => (word.endsWith(".ts") ? join(root, word) : word));
  return await runChild(node, [...entry, ...args], {
    // npm runs scripts in the root; the files that a user names to the client lie where the user stands.
    cwd: name === "cli" ? (process.env.INIT_CWD ?? process.cwd()) : root,
    env: childEnvironment(process.env, { root, dockerHost }),
  });
}

/** @param {import("./bootstrap/verbs.mjs").Verb} verb */
async function engineFor({ engine }) {
  if (engine === "needed") return await ensureEngine();
  if (engine === "unused") return undefined;
  const found = await findEngine(engineCandidates(process.env, process.getuid?.()));
  return found.engine === undefined ? undefined : dockerHostOf(found.engine.endpoint);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${renderFailure(error)}\n`);
  process.exitCode = 1;
}
