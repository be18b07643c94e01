import { setTimeout as delay } from "node:timers/promises";
import type { Changes } from "./changes.ts";
import { filters } from "./engine-client.ts";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineEvent } from "./engine-types.ts";
import { jsonLines } from "./json-lines.ts";
import { LABEL, ownerFilter } from "./labels.ts";

const ACTIONS = ["create", "start", "die", "destroy", "oom", "pause", "unpause"];
const WAIT_FIRST_MS = 500;
const WAIT_LAST_MS = 15_000;

/**
 * Follows the engine's events of the site's containers until the signal aborts, and turns them into changes. It
 * connects again by itself; `onConnected` is told each time, since events in between were missed.
 */
export async function followEngine(
  scope: EngineScope,
  changes: Changes,
  options: { readonly signal: AbortSignal; readonly onConnected: () => Promise<void> },
): Promise<void> {
  const { signal } = options;
  for (let waitMs = WAIT_FIRST_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, WAIT_LAST_MS)) {
    try {
      for await (const event of readEvents(scope, signal, options.onConnected)) {
        waitMs = WAIT_FIRST_MS;
        tell(event, changes);
      }
    } catch {
      // Whatever it was, the next attempt shows whether it lasts; calls by people tell them of an engine that is away.
    }
    await delay(waitMs, undefined, { signal }).catch(() => {});
  }
}

async function* readEvents(
  scope: EngineScope,
  signal: AbortSignal,
  onConnected: () => Promise<void>,
): AsyncGenerator<EngineEvent> {
  // Events from a moment before the list is taken are asked for again: nothing falls between the two.
  const since = await engineTime(scope, signal);
  await onConnected();
  yield* jsonLines<EngineEvent>(
    scope.client.stream({
      method: "GET",
      path: "/events",
      query: {
        since,
        filters: filters({ type: ["container"], event: ACTIONS, label: ownerFilter(scope.site) }),
      },
      what: "tell what happens",
      timeoutMs: 0,
      signal,
    }),
  );
}

/** The engine's own clock, in whole seconds: it may be another machine's. */
async function engineTime(scope: EngineScope, signal: AbortSignal): Promise<number | undefined> {
  const { SystemTime } = (await scope.info(signal)) as { readonly SystemTime?: string };
  const time = Date.parse(SystemTime ?? "");
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

function tell(event: EngineEvent, changes: Changes): void {
  const labels = event.Actor?.Attributes ?? {};
  const id = event.Actor?.ID ?? event.id ?? "";
  const app = labels[LABEL.app];
  if (app === undefined || event.Action === undefined) return;
  const component = labels[LABEL.component];
  changes.emit({ id, app, what: event.Action, ...(component === undefined ? {} : { component }) });
}
