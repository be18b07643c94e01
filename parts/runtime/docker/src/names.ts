import { createHash } from "node:crypto";
import type { AppRef } from "@sampan/plan";

/**
 * Names that people see in the engine. They are for reading: what a thing is, its labels say. Dashes in slugs and
 * components can make two names meet; the later one then takes `elsewhere` of its name.
 */
export function networkName(app: AppRef): string {
  return `sampan-${app.slug}`;
}

export function volumeName(app: AppRef, volume: { readonly owner: string; readonly volume: string }): string {
  return `sampan-${app.slug}-${volume.owner}-${volume.volume}`;
}

export function containerName(
  app: AppRef,
  instance: { readonly component: string; readonly index: number; readonly generation: number },
): string {
  return `sampan-${app.slug}-${instance.component}-${instance.index}-g${instance.generation}`;
}

/** The name to take when another app's thing has the first one. */
export function elsewhere(name: string, app: AppRef): string {
  return `${name}-${createHash("sha256").update(app.id).digest("hex").slice(0, 6)}`;
}

/**
 * DNS names of an instance in its app's network. One that does not serve yet has its own only; a component that is
 * named like it keeps the name.
 */
export function networkAliases(
  instance: { readonly component: string; readonly index: number },
  options: { readonly serving: "now" | "later"; readonly components: readonly string[] },
): readonly string[] {
  const own = `${instance.component}-${instance.index}`;
  return [
    ...(options.serving === "now" ? [instance.component] : []),
    ...(options.components.includes(own) ? [] : [own]),
  ];
}
