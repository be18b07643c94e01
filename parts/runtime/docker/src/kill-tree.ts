import { readdir, readFile } from "node:fs/promises";

/** Kills a process of a container and all below it. Does nothing when the process is not of that container (its number was given anew, or the engine's processes are not visible here). */
export async function killTree(pid: number, container: string): Promise<void> {
  if (!(await belongsTo(pid, container))) return;
  const children = await childrenOf(pid);
  process.kill(pid, "SIGKILL");
  for (const child of children) {
    try {
      await killTree(child, container);
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

async function belongsTo(pid: number, container: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cgroup`, "utf8")).includes(container);
  } catch {
    return false;
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const text = await readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "");
    found.push(...text.split(" ").filter(Boolean).map(Number));
  }
  return found;
}
