import { coresText, sizeText } from "./amount-text.ts";
import { ANYTHING, fail, pass, someNames, UNKNOWN, type Verdict, warn } from "./preflight-check.ts";
import type { PreflightFacts as Facts } from "./preflight-facts.ts";
import type { Amount, PreflightRequirements as Requirements } from "./preflight-requirements.ts";

/** The amount, where an engine said a sensible one. */
function known(amount: number | undefined): number | undefined {
  return amount !== undefined && amount >= 0 && amount <= Number.MAX_SAFE_INTEGER ? amount : undefined;
}

function greater({ declared = 0, asked }: Amount): number {
  return Math.max(declared, asked);
}

export function amountWanted(amount: Amount, text: (amount: number) => string): string {
  const { declared = 0, asked } = amount;
  if (greater(amount) === 0) return ANYTHING;
  return declared >= asked
    ? `${text(declared)}, as the app declares`
    : `${text(asked)}, as its components ask for`;
}

export function judgeCpu({ cpu }: Requirements, { cpus, reservedCpus }: Facts): Verdict {
  const total = known(cpus) ?? 0;
  const wanted = greater(cpu);
  if (total === 0)
    return wanted === 0
      ? pass(UNKNOWN)
      : warn(UNKNOWN, "Find out how many cores this machine has before you go on.");
  const found = coresText(total);
  if ((cpu.declared ?? 0) > total) return fail(found, "Give the machine more cores, or use another machine.");
  if (cpu.asked > total)
    return warn(found, "Expect it to be slow, run fewer replicas, or give the machine more cores.");
  const reserved = known(reservedCpus) ?? 0;
  const left = Math.max(0, total - reserved);
  const foundLeft = reserved > 0 ? `${found}, ${coresText(left)} left beside other apps` : found;
  return wanted > left
    ? warn(foundLeft, "Expect apps to slow each other down, stop others, or give the machine more cores.")
    : pass(foundLeft);
}

export function judgeMemory({ memoryBytes }: Requirements, facts: Facts): Verdict {
  const total = known(facts.memoryBytes) ?? 0;
  const wanted = greater(memoryBytes);
  if (total === 0)
    return wanted === 0
      ? pass(UNKNOWN)
      : warn(UNKNOWN, "Find out how much memory this machine has before you go on.");
  const found = sizeText(total);
  if (wanted > total) return fail(found, "Give the machine more memory, or use another machine.");
  const reserved = known(facts.reservedMemoryBytes) ?? 0;
  const left = Math.max(0, total - reserved);
  const foundLeft = reserved > 0 ? `${found}, ${sizeText(left)} left beside other apps` : found;
  if (wanted > left)
    return warn(foundLeft, "Stop other apps or run fewer replicas, or give the machine more memory.");
  const available = known(facts.memoryAvailableBytes);
  return available !== undefined && wanted > available
    ? warn(
        `${found}, ${sizeText(available)} free now`,
        "See what else uses memory on this machine, and stop what is not needed.",
      )
    : pass(foundLeft);
}

export function diskWanted({ disk }: Requirements): string {
  const { dataBytes, imageBytes, unknownImages } = disk;
  const parts = [
    ...(dataBytes > 0 ? [`${sizeText(dataBytes)} for data`] : []),
    ...(imageBytes > 0 ? [`${sizeText(imageBytes)} for images`] : []),
    ...(unknownImages.length > 0 ? [`room for ${someNames(unknownImages)}, of unknown size`] : []),
  ];
  return parts.length === 0 ? "nothing more" : parts.join(", ");
}

const LOOK_AT_DISK = "Look at the free disk space of this machine yourself (df -h) before you go on.";
const FREE_DISK = "Free disk space: remove old releases and images that nothing uses, or add a disk.";

export function judgeDisk({ disk }: Requirements, { diskFreeBytes }: Facts): Verdict {
  const wanted = disk.dataBytes + disk.imageBytes;
  const nothing = wanted === 0 && disk.unknownImages.length === 0;
  return judgeFree(diskFreeBytes, { wanted, nothing, unknown: disk.unknownImages.length > 0 });
}

/** Data whose size is known was captured before: what has not changed since is held, and takes no room again. */
export function judgeSnapshot({ capture }: Requirements, { holdFreeBytes }: Facts): Verdict {
  const size = capture?.sizeBytes;
  const free = known(holdFreeBytes) ?? 0;
  if (size !== undefined && free < size && free >= size * CHANGED_SHARE)
    return warn(
      `${sizeText(free)} free`,
      "It is enough only while no more than that has changed since the last data snapshot: free disk space, or drop old snapshots and prune.",
    );
  return judgeFree(holdFreeBytes, { wanted: size ?? 0, nothing: false, unknown: size === undefined });
}

/** With less than this share of the data free, not even what changes from one time to the next is sure to fit. */
const CHANGED_SHARE = 0.1;

/** Less than this share of what is free now should not be left. */
const SHARE_LEFT_MIN = 0.1;

function judgeFree(
  amount: number | undefined,
  {
    wanted,
    nothing,
    unknown,
  }: { readonly wanted: number; readonly nothing: boolean; readonly unknown: boolean },
): Verdict {
  const free = known(amount);
  if (free === undefined) return nothing ? pass(UNKNOWN) : warn(UNKNOWN, LOOK_AT_DISK);
  const found = `${sizeText(free)} free`;
  if (nothing) return pass(found);
  if (free < wanted) return fail(found, FREE_DISK);
  if (unknown)
    return warn(found, "Make sure that this is enough: how much it takes cannot be told beforehand.");
  return free - wanted < free * SHARE_LEFT_MIN
    ? warn(found, `Hardly any disk space would be left. ${FREE_DISK}`)
    : pass(found);
}
