import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Kills a process of a container and all below it. Does nothing when the process is not of that container (its number was given anew, or the engine's processes are not visible here). */
export async function killTree(pid: number, container: string): Promise<void> {
  if (!(await belongsTo(pid, container))) return;
  // Stopped first: what it starts between the look at its children and its end would go on.
  process.kill(pid, "SIGSTOP");
  await stopped(pid);
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

const STOP_LOOKS_MAX = 100;
const STOP_LOOK_MS = 2;

/** Waits until it stands still (or is gone): a signal is taken at the end of what the process is doing in the kernel. */
async function stopped(pid: number): Promise<void> {
  for (let look = 0; look < STOP_LOOKS_MAX; look++) {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (text === undefined || /^[TtZX]/.test(text.slice(text.lastIndexOf(")") + 2))) return;
    await delay(STOP_LOOK_MS);
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
