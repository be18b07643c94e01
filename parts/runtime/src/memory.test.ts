import { digestFromHex } from "@sampan/content";
import { virtualClock } from "./clock.ts";
import { type ConformanceHarness, describeDriver } from "./conformance.ts";
import type { ImageSource } from "./driver.ts";
import { memoryDriver } from "./memory.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { type MemoryImage, makeImage } from "./memory-image.ts";
import { roleProgram } from "./role-program.ts";

function roleImage(name: string, architecture = "amd64"): MemoryImage {
  const bytes = Buffer.from(`stands for /role of ${name}\n`);
  return makeImage({ name, architecture, layers: [[{ name: "role", bytes, mode: 0o755 }]] });
}

async function makeHarness(): Promise<ConformanceHarness> {
  const clock = virtualClock();
  const [role, other, pullable] = [roleImage("role:1"), roleImage("role:2"), roleImage("role:3")];
  const foreign = roleImage("role:arm", "arm64");
  const held = new Map([pullable, foreign].map((image) => [image.id, image]));
  const images: ImageSource = {
    pullReference: async (id) => (held.has(id) ? { reference: `registry.local/held@${id}` } : undefined),
  };
  const engine = new MemoryEngine({ clock, pull: async ({ imageId }) => held.get(imageId) });
  for (const image of [role, other]) engine.images.set(image.id, image);
  engine.script({}, roleProgram);
  let port = 20_000;
  return {
    driver: memoryDriver({ engine, images }),
    reopen: async () => memoryDriver({ engine, images }),
    async unreachable() {
      const dead = new MemoryEngine({ clock });
      dead.unreachable = true;
      return memoryDriver({ engine: dead, images });
    },
    images: {
      role: reference(role),
      other: reference(other),
      pullable: reference(pullable),
      foreign: reference(foreign),
      absent: { id: digestFromHex("0".repeat(64)), name: "role:nobody" },
    },
    freePort: async () => port++,
    async takePort(taken) {
      engine.takenPorts.add(taken);
      return async () => void engine.takenPorts.delete(taken);
    },
    sleep: (ms) => clock.sleep(ms),
    async remains(appId) {
      const app = engine.apps.get(appId);
      return [
        ...(app?.instances.keys() ?? []),
        ...(app?.network === true ? ["network"] : []),
        ...[...(app?.volumes.keys() ?? [])].map((key) => `volume ${key}`),
      ];
    },
    async removeVolumes(appId) {
      engine.apps.get(appId)?.volumes.clear();
    },
    close: async () => {},
  };
}

function reference({ id, names: [name = ""] }: MemoryImage) {
  return { id, name };
}

describeDriver("memory", makeHarness);
