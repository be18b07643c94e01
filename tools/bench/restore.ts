import { join } from "node:path";
import {
  askEngineForText,
  bookshop,
  emptyEngine,
  imagesOf,
  type SampanServer,
  type TwoSides,
} from "@sampan/journeys";
import type { Bench, Measure } from "./bench.ts";
import { bundlePath, exportBundle, openLoadedVendor, references, VERSION } from "./loaded-vendor.ts";
import { measureProcess } from "./measure-process.ts";
import { measureServer } from "./measure-server.ts";

/**
 * From one file to images in an empty engine. Ours in two parts: importing verifies everything and fills an empty hold; then
 * the engine pulls from there. `docker load` verifies nothing.
 */
export const restoreBench: Bench = {
  name: "restore",
  says: "bookshop 2.9 from one file into an empty engine: import and pull, beside zstd -d | docker load",
  runs: 3,
  async prepare() {
    const sides = await openLoadedVendor();
    await exportBundle(sides, 3);
    const saved = join(sides.story.path, "save.tar.zst");
    const images = (await references(sides)).join(" ");
    const save = `set -o pipefail; docker save ${images} | zstd -3 -q -f -o ${saved}`;
    await measureProcess(["bash", "-c", save], { env: { DOCKER_HOST: sides.vendor.place.dockerHost } });
    let sites = 0;
    const emptySite = async () => {
      await emptyEngine(sides.sitePlace.dockerHost);
      sites += 1;
      return await sides.newSite(`bench-${sites}`);
    };
    return {
      sets: [
        {
          name: "bookshop 2.9",
          methods: {
            "sampan import": () => restore(sides, emptySite, "import"),
            "sampan import, engine pulls": () => restore(sides, emptySite, "import and pull"),
            "zstd -d | docker load": async () => {
              await emptyEngine(sides.sitePlace.dockerHost);
              const load = `set -o pipefail; zstd -d -q -c ${saved} | docker load`;
              return await measureProcess(["bash", "-c", load], {
                env: { DOCKER_HOST: sides.sitePlace.dockerHost },
              });
            },
          },
        },
      ],
      [Symbol.asyncDispose]: () => sides[Symbol.asyncDispose](),
    };
  },
};

async function restore(
  sides: TwoSides,
  emptySite: () => Promise<SampanServer>,
  what: "import" | "import and pull",
): Promise<Measure> {
  const site = await emptySite();
  const imageIds = Object.values(await bookshop.images(sides.vendor.place.dockerHost, VERSION));
  const measured = await measureServer(site.pid, async () => {
    await site.do(["import", bundlePath(sides), "--on-server"]);
    if (what === "import and pull") await Promise.all(imageIds.map((imageId) => pull(site, imageId)));
    return {};
  });
  if (what === "import and pull") await assertHeld(sides, imageIds);
  await site.stop();
  return measured;
}

async function pull(site: SampanServer, imageId: string): Promise<void> {
  const { host } = new URL(site.url);
  const tag = imageId.replace("sha256:", "");
  const query = new URLSearchParams({ fromImage: `${host}/images`, tag });
  const answer = await askEngineForText(site.place.dockerHost, `/images/create?${query}`, {
    method: "POST",
    timeoutMs: 600_000,
    headers: { "X-Registry-Auth": paddedBase64Url(JSON.stringify(site.registryLogin())) },
  });
  if (answer.includes('"error"')) throw new Error(`${tag}: ${answer.slice(-500)}`);
}

/** Engines refuse the unpadded form that Node writes, and go on as if nothing had been said. */
function paddedBase64Url(text: string): string {
  return Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

async function assertHeld(sides: TwoSides, imageIds: readonly string[]): Promise<void> {
  const held = (await imagesOf(sides.sitePlace.dockerHost)).map(({ Id }) => Id);
  const absent = imageIds.filter((imageId) => !held.includes(imageId));
  if (absent.length > 0) throw new Error(`the engine has other images: ${absent.join(", ")} are absent`);
}
