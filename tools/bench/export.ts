import { stat } from "node:fs/promises";
import { join } from "node:path";
import { bookshop, type TwoSides } from "@sampan/journeys";
import type { Bench, Measure } from "./bench.ts";
import { exportBundle, openLoadedVendor, publish, references, runBookshop } from "./loaded-vendor.ts";
import { measureProcess } from "./measure-process.ts";
import { measureServer } from "./measure-server.ts";

/**
 * How a release gets into one file. Ours in two parts, as they happen: publishing captures what runs into the hold (once for
 * each release), exporting writes the file from there. Processor time and memory are ours and zstd's, without the engine's.
 */
export const exportBench: Bench = {
  name: "export",
  says: "bookshop 2.9 into one file: publish and export, beside docker save | zstd of the same images",
  runs: 3,
  async prepare() {
    const sides = await openLoadedVendor();
    const { pid } = sides.vendor;
    let captures = 0;
    const ours = (level: number) => () => measureServer(pid, () => exportBundle(sides, level));
    return {
      sets: [
        {
          name: "bookshop 2.9",
          methods: {
            "sampan export": ours(3),
            "sampan export --level 9": ours(9),
            "sampan publish (capture)": () => {
              captures += 1;
              return capture(sides, `bench-vendor-${captures}`);
            },
            "docker save | zstd -3": () => save(sides, "zstd -3"),
            "docker save | zstd -3 -T0": () => save(sides, "zstd -3 -T0"),
          },
        },
      ],
      [Symbol.asyncDispose]: () => sides[Symbol.asyncDispose](),
    };
  },
};

/** By a vendor whose hold is empty: a second publication would find everything there. */
async function capture(sides: TwoSides, name: string): Promise<Measure> {
  const vendor = await sides.newVendor(name);
  await runBookshop(vendor, sides.story.path);
  const measured = await measureServer(vendor.pid, async () => {
    await publish(vendor);
    return { sizeBytes: (await vendor.client().getSite()).hold.storedBytes };
  });
  await vendor.do(["app", "remove", bookshop.name]);
  await vendor.stop();
  return measured;
}

async function save(sides: TwoSides, compressor: string): Promise<Measure> {
  const target = join(sides.story.path, "save.tar.zst");
  const images = (await references(sides)).join(" ");
  const pipeline = `set -o pipefail; docker save ${images} | ${compressor} -q -f -o ${target}`;
  const measured = await measureProcess(["bash", "-c", pipeline], {
    env: { DOCKER_HOST: sides.vendor.place.dockerHost },
  });
  return { sizeBytes: (await stat(target)).size, ...measured };
}
