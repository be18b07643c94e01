import { coresText, sizeText } from "./amount-text.ts";
import { compareDotted, parseDotted } from "./dotted-number.ts";
import {
  amountWanted,
  diskWanted,
  judgeCpu,
  judgeDisk,
  judgeMemory,
  judgeSnapshot,
} from "./preflight-amounts.ts";
import { ANYTHING, fail, pass, someNames, UNKNOWN, type Verdict, warn } from "./preflight-check.ts";
import type { PreflightFacts as Facts } from "./preflight-facts.ts";
import type { PreflightRequirements as Requirements } from "./preflight-requirements.ts";

export interface PreflightRule {
  readonly id: string;
  readonly title: string;
  /** Whether there is anything to look at; always when absent. */
  readonly applies?: (requirements: Requirements) => boolean;
  readonly wanted: (requirements: Requirements) => string;
  readonly judge: (requirements: Requirements, facts: Facts) => Verdict;
}

/** What is looked at, in this order; ports come after it. */
export const PREFLIGHT_RULES: readonly PreflightRule[] = [
  {
    id: "architecture",
    title: "Architecture",
    wanted: ({ architectures, images }) =>
      [...new Set(architectures ?? images.map(platformOf))].filter((one) => one !== "").join(" or ") ||
      ANYTHING,
    judge: judgeArchitecture,
  },
  {
    id: "engine",
    title: "Container engine",
    wanted: ({ engineApi }) => (engineApi === undefined ? ANYTHING : `API ${engineApi} or newer`),
    judge: ({ engineApi }, facts) =>
      judgeVersion(
        { wanted: engineApi, found: facts.apiVersion },
        {
          text: `${facts.engine} ${facts.engineVersion} (API ${facts.apiVersion || UNKNOWN})`,
          remedy: "Update the container engine of this machine.",
        },
      ),
  },
  {
    id: "kernel",
    title: "Kernel",
    wanted: ({ kernel }) => (kernel === undefined ? ANYTHING : `${kernel} or newer`),
    judge: ({ kernel }, facts) =>
      judgeVersion(
        { wanted: kernel, found: facts.kernel },
        { text: facts.kernel || UNKNOWN, remedy: "Update the operating system of this machine." },
      ),
  },
  {
    id: "cpu",
    title: "Processor cores",
    wanted: ({ cpu }) => amountWanted(cpu, coresText),
    judge: judgeCpu,
  },
  {
    id: "memory",
    title: "Memory",
    wanted: ({ memoryBytes }) => amountWanted(memoryBytes, sizeText),
    judge: judgeMemory,
  },
  { id: "disk", title: "Disk", wanted: diskWanted, judge: judgeDisk },
  {
    id: "snapshot",
    title: "Space for data snapshots",
    applies: ({ capture }) => capture !== undefined,
    wanted: ({ capture }) =>
      capture?.sizeBytes === undefined
        ? "as much as the data takes"
        : `${sizeText(capture.sizeBytes)}, as measured last`,
    judge: judgeSnapshot,
  },
  {
    id: "limits",
    title: "Limits",
    wanted: ({ limited }) => (limited.length === 0 ? ANYTHING : `enforced, for ${someNames(limited)}`),
    judge: ({ limited }, { limits }) => {
      if (limits) return pass("enforced");
      return limited.length === 0
        ? pass("not enforced")
        : warn(
            "not enforced",
            "Turn on the cgroup controllers for cpu and memory, or keep an eye on what it uses.",
          );
    },
  },
  {
    id: "privileged",
    title: "Privileged containers",
    applies: ({ privileged }) => privileged.length > 0,
    wanted: ({ privileged }) => `allowed, for ${someNames(privileged)}`,
    judge: (_, { privilegesAllowed }) => {
      if (privilegesAllowed === undefined)
        return warn(UNKNOWN, "Ask whoever runs this site whether it lets containers run privileged.");
      return privilegesAllowed
        ? pass("allowed")
        : fail("not allowed", "Do without it, or let whoever runs this site allow privileged containers.");
    },
  },
];

function platformOf({ os, architecture }: Requirements["images"][number]): string {
  return architecture === undefined ? "" : os === undefined ? architecture : `${os}/${architecture}`;
}

function judgeArchitecture({ architectures, images }: Requirements, facts: Facts): Verdict {
  const { architecture, os } = facts;
  if (architecture === "")
    return warn(UNKNOWN, "Find out the architecture of this machine (uname -m) before you go on.");
  const found = os === "" ? architecture : `${os}/${architecture}`;
  if (architectures !== undefined && !architectures.includes(architecture))
    return fail(found, `Use a machine with ${architectures.join(" or ")}.`);
  const foreign = images.filter(
    (image) =>
      (image.architecture !== undefined && image.architecture !== architecture) ||
      (image.os !== undefined && os !== "" && image.os !== os),
  );
  if (foreign.length > 0)
    return fail(
      found,
      `Import a release that was published for ${found}: ${imagesText(foreign)} cannot run here.`,
    );
  const unknown = images.filter((image) => image.architecture === undefined);
  if (unknown.length > 0)
    return warn(found, `Make sure that ${imagesText(unknown)} can run on ${found}: that is not known.`);
  return pass(found);
}

function imagesText(images: Requirements["images"]): string {
  return someNames(images.map((image) => image.name));
}

function judgeVersion(
  version: { readonly wanted: string | undefined; readonly found: string },
  { text, remedy }: { readonly text: string; readonly remedy: string },
): Verdict {
  if (version.wanted === undefined) return pass(text);
  const [wanted, found] = [parseDotted(version.wanted), parseDotted(version.found)];
  if (wanted === undefined || found === undefined)
    return warn(text, `Make sure that it is ${version.wanted} or newer: that cannot be told from here.`);
  return compareDotted(found, wanted) < 0 ? fail(text, remedy) : pass(text);
}
