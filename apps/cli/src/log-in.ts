import { hostname } from "node:os";
import { createClient } from "@sampan/api";
import type { CommandContext } from "./command-context.ts";

const PASSWORD_BYTES_MAX = 4096;
const TOKEN_DAYS = 365;

export async function readPassword(
  context: CommandContext,
  options: { readonly passwordStdin?: true },
): Promise<string> {
  if (options.passwordStdin === true) {
    const text = await context.terminal.readStdin({ sizeBytesMax: PASSWORD_BYTES_MAX });
    return text.replace(/\r?\n$/, "");
  }
  return context.env.SAMPAN_PASSWORD ?? (await context.terminal.ask("Password: ", { secret: true }));
}

/** Logs in for a moment to make an API token, which is what is kept: it can be revoked by itself. Gives the path of the login. */
export async function logIn(
  context: CommandContext,
  who: { readonly userName: string; readonly password: string },
): Promise<string> {
  const server = await context.serverUrl();
  const client = createClient({ baseUrl: server, fetch: keepingCookie(context.fetch) });
  await client.login({ body: who });
  const { secret } = await client.createToken({
    body: { name: `command line on ${hostname()}`.slice(0, 80), expiresInDays: TOKEN_DAYS },
  });
  await client.logout();
  return await context.saveSession({ server, token: secret });
}

function keepingCookie(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  let cookie: string | undefined;
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    if (cookie !== undefined) headers.set("cookie", cookie);
    const response = await fetch(input, { ...init, headers });
    cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    return response;
  };
}
