import { statfs } from "node:fs/promises";
import type { Capabilities } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import type { EngineVersion } from "./engine-types.ts";

export async function readCapabilities(
  context: DriverContext,
  signal: AbortSignal | undefined,
): Promise<Capabilities> {
  const [version, info, apiVersion] = await Promise.all([
    context.scope.version(signal),
    context.scope.info(signal),
    context.client.version(signal),
  ]);
  const diskFreeBytes = await freeBytes(context, info.DockerRootDir);
  return {
    engine: engineName(version),
    engineVersion: version.Version,
    apiVersion,
    os: version.Os,
    architecture: version.Arch,
    kernel: info.KernelVersion,
    cpus: info.NCPU,
    memoryBytes: info.MemTotal,
    ...(diskFreeBytes === undefined ? {} : { diskFreeBytes }),
    storage: info.Driver,
    rollingReplace: true,
    terminal: true,
    limits: info.MemoryLimit === true && info.CpuCfsQuota === true && info.PidsLimit === true,
  };
}

function engineName({ Components }: EngineVersion): string {
  return Components?.some(({ Name }) => Name.startsWith("Podman")) === true ? "podman" : "docker";
}

/** Known only where the engine's disk is this machine's. */
async function freeBytes(context: DriverContext, folder: string): Promise<number | undefined> {
  if (context.client.address.kind !== "socket") return undefined;
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
