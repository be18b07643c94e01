import { runtimeProblem } from "@sampan/runtime";

/** The oldest version with all that the driver needs (one-shot stats, platform of images). */
const OLDEST = [1, 41] as const;
/** The newest version that the driver was written for. */
const NEWEST = [1, 47] as const;

/** The API version to speak with an engine whose newest one is `offered` (the Api-Version header of `/_ping`). */
export function chooseApiVersion(offered: string | readonly string[] | undefined): string {
  const match = /^(\d{1,3})\.(\d{1,3})$/.exec(typeof offered === "string" ? offered : "");
  if (match === null)
    throw runtimeProblem("RUNTIME_UNREACHABLE", "what answers is not a container engine", {
      why: "it does not tell its API version",
      hint: "Point DOCKER_HOST at a Docker engine, or at Podman's compatible socket.",
    });
  const version = [Number(match[1]), Number(match[2])] as const;
  if (isOlder(version, OLDEST))
    throw runtimeProblem("RUNTIME_TOO_OLD", `the engine speaks API ${offered}`, {
      why: `${OLDEST.join(".")} or newer is needed`,
      hint: "Update the engine (Docker 20.10 or newer).",
    });
  return (isOlder(version, NEWEST) ? version : NEWEST).join(".");
}

function isOlder(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}
