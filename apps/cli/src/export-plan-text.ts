import type { Client } from "@sampan/api";
import { humanBytes, humanDuration } from "./amounts.ts";
import { renderTable } from "./render-table.ts";
import { oneLine } from "./text-width.ts";

export type ExportPlan = Awaited<ReturnType<Client["planExport"]>>;

const LARGEST_SHOWN = 3;

/** What an export would write, component by component, and what it would meet at each site. */
export function renderExportPlan(plan: ExportPlan): string {
  const { kind, sizeBytes, layersCarriedBytes, layersLeftOutBytes, pieces, media } = plan;
  return [
    kind === "full"
      ? `full, about ${humanBytes(sizeBytes)}`
      : `increment, about ${humanBytes(sizeBytes)}, on ${baseNames(plan)}`,
    `layers: ${humanBytes(layersCarriedBytes)} travel${kind === "full" ? "" : `, ${humanBytes(layersLeftOutBytes)} are there already; of those that travel, ${humanBytes(pieces.newBytes)} are new and ${humanBytes(pieces.reusedBytes)} come from the base`}`,
    ...(plan.volumeCount > 1 ? [`volumes: ${plan.volumeCount}, or one more`] : []),
    `media: ${media.map(({ name, count }) => `${count} × ${name}`).join(", or ")}`,
    ...plan.releases.flatMap((release) => renderRelease(plan, release)),
    ...plan.remarks.map((remark) => `! ${oneLine(remark)}`),
    ...plan.sites.flatMap(renderSite),
  ].join("\n");
}

function baseNames({ bases }: ExportPlan): string {
  return bases.map(({ templateName, version }) => oneLine(`${templateName} ${version}`)).join(" or ");
}

function renderRelease(
  { kind }: ExportPlan,
  { templateName, version, components }: ExportPlan["releases"][number],
): string[] {
  const rows = components.map((one) => ({
    component: one.name,
    image: one.image,
    "layers new": one.layersCarried,
    "layers there": one.layersLeftOut,
    ...(kind === "full"
      ? { bytes: humanBytes(one.carriedBytes) }
      : {
          "files new": one.newFiles,
          "files changed": one.changedFiles,
          "new bytes": humanBytes(one.newBytes),
        }),
    largest: one.largest
      .slice(0, LARGEST_SHOWN)
      .map(({ path, newBytes }) => `${path} (${humanBytes(newBytes)})`)
      .join(", "),
  }));
  return ["", oneLine(`${templateName} ${version}`), renderTable(rows, "no components")];
}

function renderSite(prediction: ExportPlan["sites"][number]): string[] {
  const { site, sequence, at, space, importMs, unfit, upgrades } = prediction;
  const { fits, needsBytes, freeBytes } = space;
  return [
    "",
    oneLine(`${site.name} (${site.id}), as state ${sequence} of ${at} tells:`),
    `  ${fits ? "✓" : "✗"} room: ${humanBytes(needsBytes)} are needed, ${humanBytes(freeBytes)} are free`,
    importMs === undefined
      ? "  ? import time: the site has not measured an import yet"
      : `  ✓ import time: about ${humanDuration(importMs)}`,
    ...unfit.map(({ message }) => `  ✗ ${oneLine(message)}`),
    ...upgrades.flatMap(renderUpgrade),
  ];
}

function renderUpgrade(one: ExportPlan["sites"][number]["upgrades"][number]): string[] {
  const { missing, conflicts, unknown, remarks } = one;
  return [
    `  ${one.team}/${one.app}: ${one.templateName} ${one.from} → ${one.to}`,
    ...missing.map(
      ({ name, title }) => `    ? must be answered: ${name}${title === undefined ? "" : ` (${title})`}`,
    ),
    ...conflicts.map(
      ({ path, before, offered }) =>
        `    = ${path}: the site keeps ${shown(before)}; the release offers ${shown(offered)}`,
    ),
    ...unknown.map(({ path }) => `    = ${path}: a secret, so whether the site changed it is not known here`),
    ...remarks.map((remark) => `    ! ${remark}`),
    ...(missing.length + conflicts.length + unknown.length + remarks.length === 0
      ? ["    ✓ nothing is asked, and nothing that the site changed is in the way"]
      : []),
  ].map((line) => line.slice(0, line.search(/\S/)) + oneLine(line.trimStart()));
}

const SHOWN_MAX = 60;

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
