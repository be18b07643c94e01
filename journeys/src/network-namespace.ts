import { existsSync } from "node:fs";
import { run } from "./processes.ts";

/** A network of its own with nothing in it but loopback: what runs inside reaches itself, and nobody else. */
export class NetworkNamespace {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async create(name: string): Promise<NetworkNamespace> {
    await run(["ip", "netns", "add", name]);
    const made = new NetworkNamespace(name);
    await run(made.command(["ip", "link", "set", "lo", "up"]));
    return made;
  }

  static async remove(name: string): Promise<void> {
    if (existsSync(pathOf(name))) await run(["ip", "netns", "delete", name]);
  }

  /** A command that runs inside. Not `ip netns exec`: that remounts /sys and hides the control groups from an engine. */
  command(words: readonly string[]): readonly string[] {
    return ["nsenter", `--net=${pathOf(this.name)}`, "--", ...words];
  }
}

function pathOf(name: string): string {
  return `/run/netns/${name}`;
}
