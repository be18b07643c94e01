import type { Receipt } from "./receipt.ts";
import type { SiteState } from "./site-state.ts";

/** A site state for people: who, what it can, holds and runs. */
export function renderSiteState(state: SiteState): string {
  const { site, engine, hold, releases, apps, rates } = state;
  const { reachable, name = engine.driver, version = "", os = "?", architecture = "?" } = engine;
  const { importBytesPerSecond: rate } = rates;
  return [
    `site state ${state.sequence} of ${site.enterprise} (${site.id}), ${state.at}, Sampan ${state.productVersion}`,
    `key ${site.keyId}`,
    reachable ? `engine ${name} ${version}, ${os}/${architecture}` : "engine does not answer",
    `hold ${hold.images} images, ${megabytes(hold.storedBytes)} kept, ${megabytes(hold.freeBytes)} free`,
    rate === undefined ? "no import was measured yet" : `imports ${megabytes(rate)} of layers a second`,
    ...releases.map(({ templateName, version: one, digest }) => `holds ${templateName} ${one}  ${digest}`),
    ...apps.flatMap((app) =>
      app.installations.map(
        ({ templateName, version: one, state: how }) =>
          `runs ${templateName} ${one} in ${app.team}/${app.name} (${how})`,
      ),
    ),
  ].join("\n");
}

/** A receipt for people: what arrived, what was done, who accepted it. */
export function renderReceipt(receipt: Receipt): string {
  const { site, imports, records, omitted } = receipt;
  const from = receipt.since === 0 ? "" : `, what came after ${receipt.since}`;
  return [
    `receipt ${receipt.sequence} of ${site.enterprise} (${site.id}), ${receipt.at}${from}`,
    `key ${site.keyId}`,
    ...imports.map(({ at, fileName, who, releases }) => {
      const what = releases.map(({ templateName, version }) => `${templateName} ${version}`).join(", ");
      return `${at}  ${who} took in ${fileName}: ${what}`;
    }),
    ...records.map((record) => `${record.endedAt}  ${renderRecord(record)}`),
    ...(omitted === 0 ? [] : [`${omitted} older ones were left out`]),
  ].join("\n");
}

/** One line: "ann upgraded Shop in shop/shop: 2.9 → 3.0, succeeded; 3 of 3 checks passed; accepted by Li Wei". */
export function renderRecord(record: Receipt["records"][number]): string {
  const { kind, who, app, team, template, from, to, result, reason, acceptance, countersignatures } = record;
  const versions = [from?.version, to?.version].filter((one) => one !== undefined).join(" → ");
  const passed = acceptance.filter(({ state }) => state === "passed").length;
  return [
    `${who}: ${kind} of ${template?.name ?? app.name} in ${team}/${app.name}${versions === "" ? "" : `, ${versions}`}, ${result}`,
    ...(reason === undefined ? [] : [reason]),
    ...(acceptance.length === 0 ? [] : [`${passed} of ${acceptance.length} checks passed`]),
    ...countersignatures.map(({ name, signed }) => `accepted by ${name}${signed ? " with a key" : ""}`),
  ].join("; ");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
