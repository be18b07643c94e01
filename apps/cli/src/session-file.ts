import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { cliProblem } from "./problems.ts";

/** What `sampan login` remembers, in the user's configuration folder, readable by the user only. */
export interface Session {
  /** The server that gave the token. */
  readonly server?: string;
  readonly token?: string;
}

export function sessionPath(env: Readonly<Record<string, string | undefined>>): string {
  const base = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), ".config");
  return env.SAMPAN_CONFIG ?? join(base, "sampan", "session.json");
}

/** Empty when nobody logged in. Throws CLI_FILE when the file is none. */
export async function readSession(path: string): Promise<Session> {
  try {
    const { server, token } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    return {
      ...(typeof server === "string" ? { server } : {}),
      ...(typeof token === "string" ? { token } : {}),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw cliProblem("CLI_FILE", `cannot read the login in ${path}`, {
      why: (error as Error).message,
      hint: "remove the file, and log in again",
      cause: error,
    });
  }
}

/** Throws CLI_FILE. */
export async function writeSession(path: string, session: Session): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(part, `${JSON.stringify(session, null, 2)}\n`, { mode: 0o600 });
    await rename(part, path);
  } catch (error) {
    throw cliProblem("CLI_FILE", `cannot keep the login in ${path}`, {
      why: (error as Error).message,
      hint: "name another file with SAMPAN_CONFIG",
      cause: error,
    });
  }
}
