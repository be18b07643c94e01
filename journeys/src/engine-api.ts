import { request } from "node:http";

/** The little of the Engine API that a witness needs: it looks at an engine from outside of Sampan. */

export interface EngineContainer {
  readonly Id: string;
  readonly Image: string;
  readonly ImageID: string;
  readonly State: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

export interface EngineImage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Size: number;
}

const SITE_LABEL = "dev.sampan.site";
const API = "/v1.41";

export interface EngineAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Asks an engine at `unix:///…` for a JSON document; undefined when it has nothing to say. */
export async function askEngine(dockerHost: string, path: string, ask: EngineAsk = {}): Promise<unknown> {
  const text = await askEngineForText(dockerHost, path, ask);
  return text === "" ? undefined : JSON.parse(text);
}

/** What an engine answers, to its end; a refusal throws with the engine's own words. */
export async function askEngineForText(
  dockerHost: string,
  path: string,
  { method = "GET", headers = {}, timeoutMs = 60_000 }: EngineAsk = {},
): Promise<string> {
  const socketPath = dockerHost.replace(/^unix:\/\//, "");
  return await new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      path: `${API}${path}`,
      method,
      headers,
      timeout: timeoutMs,
      agent: false,
    });
    asked.on("timeout", () => asked.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)));
    asked.on("error", reject);
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const { statusCode = 0 } = response;
        if (statusCode >= 400) reject(new Error(`${method} ${path}: ${statusCode} ${text}`));
        else resolve(text);
      });
    });
    asked.end();
  });
}

function filtersOf(labels: readonly string[]): string {
  return encodeURIComponent(JSON.stringify({ label: labels }));
}

/** All containers, running or not, that bear the labels (`key` or `key=value`). */
export async function containersOf(
  dockerHost: string,
  labels: readonly string[] = [],
): Promise<readonly EngineContainer[]> {
  const path = `/containers/json?all=true&filters=${filtersOf(labels)}`;
  return (await askEngine(dockerHost, path)) as readonly EngineContainer[];
}

export async function imagesOf(dockerHost: string): Promise<readonly EngineImage[]> {
  return (await askEngine(dockerHost, "/images/json")) as readonly EngineImage[];
}

export async function volumesOf(
  dockerHost: string,
  labels: readonly string[] = [],
): Promise<readonly string[]> {
  const reply = (await askEngine(dockerHost, `/volumes?filters=${filtersOf(labels)}`)) as {
    readonly Volumes: readonly { readonly Name: string }[] | null;
  };
  return (reply.Volumes ?? []).map((one) => one.Name);
}

export async function networksOf(
  dockerHost: string,
  labels: readonly string[] = [],
): Promise<readonly string[]> {
  const reply = (await askEngine(dockerHost, `/networks?filters=${filtersOf(labels)}`)) as readonly {
    readonly Name: string;
  }[];
  return reply.map((one) => one.Name);
}

/** The image ID that a reference stands for in an engine; undefined where it is not there. */
export async function imageIdOf(dockerHost: string, reference: string): Promise<string | undefined> {
  const path = `/images/${encodeURIComponent(reference)}/json`;
  const image = (await askEngine(dockerHost, path).catch(() => undefined)) as
    | { readonly Id: string }
    | undefined;
  return image?.Id;
}

/** Removes all that a Sampan site made in an engine: containers, networks and volumes with what is in them. */
export async function removeSampanThings(dockerHost: string, siteId: string): Promise<void> {
  const labels = [`${SITE_LABEL}=${siteId}`];
  for (const { Id } of await containersOf(dockerHost, labels))
    await askEngine(dockerHost, `/containers/${Id}?force=true&v=true`, { method: "DELETE" });
  for (const name of await networksOf(dockerHost, labels))
    await askEngine(dockerHost, `/networks/${name}`, { method: "DELETE" });
  for (const name of await volumesOf(dockerHost, labels))
    await askEngine(dockerHost, `/volumes/${name}?force=true`, { method: "DELETE" });
}

/** Removes every container of an engine that the story owns. */
export async function removeAllContainers(dockerHost: string): Promise<void> {
  for (const { Id } of await containersOf(dockerHost))
    await askEngine(dockerHost, `/containers/${Id}?force=true&v=true`, { method: "DELETE" });
}

/** Removes all volumes and images of an engine that the story owns; no container may be there. */
export async function emptyEngine(dockerHost: string): Promise<void> {
  for (const name of await volumesOf(dockerHost))
    await askEngine(dockerHost, `/volumes/${name}?force=true`, { method: "DELETE" });
  for (const { Id } of await imagesOf(dockerHost))
    await askEngine(dockerHost, `/images/${Id}?force=true`, { method: "DELETE" });
}
