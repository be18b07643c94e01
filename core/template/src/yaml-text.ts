import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Locate, Path, PlacedFault } from "./faults.ts";
import { DEPTH_MAX, keyFault, limitMessage, NODES_MAX, textFault } from "./value-limits.ts";

export const TEXT_BYTES_MAX = 4 * 1024 * 1024;

export interface YamlText {
  /** Undefined when it could not be read far enough to say more about it. */
  readonly value: unknown;
  readonly faults: readonly PlacedFault[];
  readonly locate: Locate;
}

/**
 * Reads one YAML 1.2 document (core schema: `on` and `no` stay texts, no dates) into plain values. Anchors and aliases are expanded
 * within a budget; custom tags, merge keys, several documents and repeated keys are faults.
 */
export function readYamlText(text: string): YamlText {
  if (text.length > TEXT_BYTES_MAX || new TextEncoder().encode(text).byteLength > TEXT_BYTES_MAX)
    return unreadable("the text is larger than 4 MiB; large files belong in an image or a volume");
  const counter = new LineCounter();
  const lineOf = (offset: number) => counter.linePos(offset).line;
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      // Repeated keys are found below: the library compares each key with each other one.
      uniqueKeys: false,
      stringKeys: true,
      prettyErrors: false,
      lineCounter: counter,
    });
  } catch (error) {
    if (error instanceof RangeError) return unreadable(`nested deeper than ${DEPTH_MAX} levels`);
    throw error;
  }
  const spelling = [...document.errors, ...document.warnings].map(
    ({ code, message, pos }): PlacedFault & { fatal: boolean } => ({
      path: [],
      message: spellingMessage(code, message),
      line: lineOf(pos[0]),
      fatal: code !== "TAG_RESOLVE_FAILED",
    }),
  );
  if (document.directives.yaml.explicit && document.directives.yaml.version !== "1.2")
    spelling.push({
      path: [],
      message: "this is read as YAML 1.2: leave the %YAML line out",
      line: 1,
      fatal: true,
    });
  if (document.errors.some(({ code }) => code === "RESOURCE_EXHAUSTION"))
    return unreadable(`nested deeper than ${DEPTH_MAX} levels`);
  const faults = spelling.map(({ fatal: _, ...fault }) => fault);
  if (spelling.some(({ fatal }) => fatal)) return { value: undefined, faults, locate: () => undefined };
  const reader = new NodeReader(lineOf);
  const value = reader.read(document.contents, []);
  return {
    value: reader.broken ? undefined : value,
    faults: [...faults, ...reader.faults],
    locate: (path) => reader.locate(path),
  };
}

/** Turns nodes into values and remembers the line of each path. Used once. */
class NodeReader {
  readonly faults: PlacedFault[] = [];
  /** A limit was passed: what was read is not whole. */
  broken = false;
  readonly #lineOf: (offset: number) => number;
  readonly #anchors = new Map<string, Node>();
  readonly #lines = new Map<string, number>();
  #nodes = 0;

  constructor(lineOf: (offset: number) => number) {
    this.#lineOf = lineOf;
  }

  read(node: unknown, path: Path): unknown {
    if (this.broken) return undefined;
    this.#nodes += 1;
    if (path.length > DEPTH_MAX || this.#nodes > NODES_MAX) {
      this.broken = true;
      this.faults.push({ path: path.slice(0, 8), message: limitMessage(path) });
      return undefined;
    }
    if (isAlias(node)) return this.#readAlias(node.source, path);
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor) this.#anchors.set(node.anchor, node);
    if (isMap(node)) return this.#readMap(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.#readItem(item, [...path, index]));
    if (!isScalar(node)) return null;
    const message = typeof node.value === "string" ? textFault(node.value) : undefined;
    if (message !== undefined) this.faults.push({ path, message });
    return node.value;
  }

  locate(path: Path): number | undefined {
    for (let length = path.length; length >= 0; length--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return this.#nodes === 0 ? undefined : 1;
  }

  #readAlias(name: string, path: Path): unknown {
    const target = this.#anchors.get(name);
    if (target !== undefined) return this.read(target, path);
    this.faults.push({ path, message: `nothing before this is marked &${name}` });
    return null;
  }

  #readItem(item: unknown, path: Path): unknown {
    this.#remember(path, item);
    return this.read(item, path);
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], path: Path): unknown {
    const result: Record<string, unknown> = {};
    for (const { key: keyNode, value } of items) {
      const key = isScalar(keyNode) ? String(keyNode.value ?? "") : "";
      const inner = [...path, key];
      const first = Object.hasOwn(result, key) ? this.locate(inner) : undefined;
      const line = this.#remember(inner, keyNode);
      const message = first === undefined ? this.#keyFault(key) : `given twice; first on line ${first}`;
      if (message === undefined) result[key] = this.read(value, inner);
      else this.faults.push(line === undefined ? { path: inner, message } : { path: inner, message, line });
    }
    return result;
  }

  #keyFault(key: string): string | undefined {
    return key === "<<" ? "merge keys are not part of YAML 1.2: write the values out" : keyFault(key);
  }

  /** The first place wins: values that came through an alias are found where they are used. */
  #remember(path: Path, node: unknown): number | undefined {
    const offset = (node as Node | null)?.range?.[0];
    if (offset === undefined) return undefined;
    const key = JSON.stringify(path);
    const line = this.#lineOf(offset);
    if (!this.#lines.has(key)) this.#lines.set(key, line);
    return line;
  }
}

function unreadable(message: string): YamlText {
  return { value: undefined, faults: [{ path: [], message }], locate: () => undefined };
}

function spellingMessage(code: string, message: string): string {
  switch (code) {
    case "TAG_RESOLVE_FAILED":
      return "YAML tags (!name) have no meaning here: leave the tag out";
    case "MULTIPLE_DOCS":
      return "one document is expected: leave out everything from the second --- on";
    case "TAB_AS_INDENT":
      return "tabs cannot indent YAML: use spaces";
    default:
      return `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, "")}`;
  }
}
