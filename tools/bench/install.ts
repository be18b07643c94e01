import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { bookshop, freePort, type TwoSides } from "@sampan/journeys";
import type { Bench, Measure } from "./bench.ts";
import { openLoadedVendor, VERSION } from "./loaded-vendor.ts";
import { measureServer } from "./measure-server.ts";

const SMOKE = join(import.meta.dirname, "..", "..", "examples", "bookshop", "smoke.mjs");

/**
 * From images in the engine to an app that answers. The peer is `docker run`, one component after the other, each as soon as
 * the one before is ready. Processor time is our server's alone: its share of the work that the engine and the app do.
 */
export const installBench: Bench = {
  name: "install",
  says: "bookshop 2.9, its images present, to answering: install, beside docker run one after the other",
  runs: 3,
  async prepare() {
    const sides = await openLoadedVendor();
    return {
      sets: [
        {
          name: "bookshop 2.9",
          methods: { "sampan install": () => install(sides), "docker run": () => runPlainly(sides) },
        },
      ],
      [Symbol.asyncDispose]: () => sides[Symbol.asyncDispose](),
    };
  },
};

async function install({ vendor }: TwoSides): Promise<Measure> {
  const port = `http_port=${await freePort()}`;
  const measured = await measureServer(vendor.pid, async () => {
    await vendor.do(["install", `${bookshop.name}@${VERSION}`, "-p", port, "--note", "bench"]);
    return {};
  });
  await vendor.do(["app", "remove", bookshop.name]);
  return measured;
}

/** The script goes on after the installation: only the time that it gives for that counts. */
async function runPlainly({ vendor }: TwoSides): Promise<Measure> {
  const words = [SMOKE, "--version", VERSION, "--port", String(await freePort()), "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    env: { ...process.env, DOCKER_HOST: vendor.place.dockerHost },
  });
  const times = JSON.parse(stdout) as readonly {
    readonly component: string;
    readonly wallSeconds: number;
  }[];
  const whole = times.find(({ component }) => component === "the whole");
  if (whole === undefined) throw new Error(`${SMOKE} gave no time of the whole`);
  return { wallSeconds: Math.round(whole.wallSeconds * 1000) / 1000 };
}
