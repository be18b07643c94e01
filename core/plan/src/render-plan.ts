import { shortDigest } from "@sampan/content";
import { unreachable } from "@sampan/problem";
import type { Plan, Step } from "./plan-types.ts";

/** A plan as text, one line a step, for previews and golden tests. Ends with a line end. */
export function renderPlan(plan: Plan): string {
  const summary = planSummary(plan);
  const lines = [`plan for ${plan.app.slug}, generation ${plan.generation}: ${summaryText(summary)}`];
  const rows = plan.steps.map((step) => [step.id, ...stepWords(step), step.why]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const [at, row] of rows.entries()) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    lines.push(`  ${cells.join("  ")}${afterText(plan.steps[at])}`.trimEnd());
  }
  for (const note of plan.notes)
    lines.push(`  note: ${note.component === undefined ? "" : `${note.component}: `}${note.text}`);
  return `${lines.join("\n")}\n`;
}

export interface PlanSummary {
  readonly steps: number;
  readonly images: number;
  /** Instances made where there was none. */
  readonly creates: number;
  /** Instances made in the place of another. */
  readonly replaces: number;
  /** Instances that go and are not replaced. */
  readonly removes: number;
  /** Instances that are only waited for. */
  readonly waits: number;
  /** Components whose data is captured, or put back. */
  readonly captures: number;
  readonly restores: number;
  /** Names, sorted, of components that the plan changes; those only waited for are not among them. */
  readonly components: readonly string[];
}

/** What a plan does, in numbers. */
export function planSummary(plan: Plan): PlanSummary {
  const created = new Set<string>();
  const removed = new Set<string>();
  const awaited = new Set<string>();
  const components = new Set<string>();
  let images = 0;
  let removes = 0;
  let captures = 0;
  let restores = 0;
  for (const step of plan.steps) {
    if (step.kind === "image.ensure") images++;
    if (step.kind === "data.capture") captures++;
    if (step.kind === "data.restore") {
      restores++;
      components.add(step.component);
    }
    if (!("specDigest" in step) && step.kind !== "instance.remove") continue;
    const place = `${step.component} ${step.index}`;
    if (step.kind === "instance.create") created.add(place);
    else if (step.kind === "instance.remove") {
      removes++;
      removed.add(place);
    } else awaited.add(place);
    if (step.kind !== "instance.ready" && step.kind !== "instance.complete") components.add(step.component);
  }
  const replaces = [...created].filter((place) => removed.has(place)).length;
  return {
    steps: plan.steps.length,
    images,
    creates: created.size - replaces,
    replaces,
    removes: removes - replaces,
    waits: [...awaited].filter((place) => !created.has(place)).length,
    captures,
    restores,
    components: [...components].sort(),
  };
}

function summaryText(summary: PlanSummary): string {
  const parts = [
    [summary.images, "to fetch"],
    [summary.creates, "to start"],
    [summary.replaces, "to replace"],
    [summary.removes, "to remove"],
    [summary.waits, "to wait for"],
    [summary.captures, "to capture"],
    [summary.restores, "to put back"],
  ] as const;
  const named = parts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  if (summary.steps === 0) return "nothing to do";
  return named.length === 0 ? `${summary.steps} steps` : named.join(", ");
}

/** A step as verb and object: "let serve", "web 1". */
export function stepWords(step: Step): readonly [verb: string, object: string] {
  switch (step.kind) {
    case "network.ensure":
      return ["make", "network"];
    case "network.remove":
      return ["remove", "network"];
    case "volume.ensure":
      return ["make", `volume ${step.component}/${step.volume}`];
    case "image.ensure":
      return ["fetch", `${step.imageName} (${shortDigest(step.imageId)})`];
    case "instance.create":
      return [step.serve === "now" ? "start" : "start aside", `${step.component} ${step.index}`];
    case "instance.ready":
      return ["await ready", `${step.component} ${step.index}`];
    case "instance.complete":
      return ["await end", `${step.component} ${step.index}`];
    case "instance.serve":
      return ["let serve", `${step.component} ${step.index}`];
    case "instance.remove":
      return ["remove", `${step.component} ${step.index}`];
    case "data.capture":
      return ["capture", `${volumeWords(step)}, ${step.live ? "runs" : "stopped"} meanwhile`];
    case "data.restore":
      return ["put back", `${volumeWords(step)}, stopped meanwhile`];
    case "data.resume":
      return ["take up", `what was put back, ${step.component} ${step.index}`];
    default:
      return unreachable(step);
  }
}

function volumeWords({
  component,
  volumes,
}: {
  readonly component: string;
  readonly volumes: readonly string[];
}): string {
  return `volume${volumes.length === 1 ? "" : "s"} ${volumes.map((volume) => `${component}/${volume}`).join(", ")}`;
}

const AFTER_SHOWN_MAX = 6;

function afterText(step: Step | undefined): string {
  if (step === undefined || step.needs.length === 0) return "";
  const shown = step.needs.slice(0, AFTER_SHOWN_MAX).join(" ");
  const more = step.needs.length - AFTER_SHOWN_MAX;
  return `  [after ${shown}${more > 0 ? ` and ${more} more` : ""}]`;
}
