import { answerChanges, type Change, diffApps } from "@sampan/plan";
import type { StoredRecord } from "@sampan/store";
import { type AppState, releasesAfter, stateAfter } from "./app-history.ts";
import { releaseNameOf } from "./library.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/**
 * What differs between what one record made of an app and what another did, in this direction: releases, properties, answers, modules.
 * Secrets are masked. Throws RECORDS_UNLIKE.
 */
export async function diffRecords(
  parts: Pick<Parts, "store">,
  from: StoredRecord,
  to: StoredRecord,
): Promise<readonly Change[]> {
  if (from.appId !== to.appId)
    throw deliveryProblem("RECORDS_UNLIKE", "the records are of two apps", {
      why: `${from.id} is of ${from.appId}, and ${to.id} is of ${to.appId}`,
      hint: "compare records of one app: sampan record list --app NAME",
    });
  const [a, b] = [await knownState(parts, from), await knownState(parts, to)];
  return [
    ...(await releaseChanges(parts, from, to)),
    ...diffApps(a.spec, b.spec),
    ...answerChanges({ before: answersOf(a), after: answersOf(b), by: "returned" }).map((change) => ({
      ...change,
      why: "",
    })),
  ];
}

async function knownState(parts: Pick<Parts, "store">, record: StoredRecord): Promise<AppState> {
  const state = await stateAfter(parts, record);
  if (state !== undefined) return state;
  throw deliveryProblem("RECORDS_UNLIKE", `it is not known what record ${record.id} made of the app`, {
    why: "the record is older than what this site remembers of the app",
    hint: "compare later records of it",
  });
}

function answersOf({ spec, values, modules }: AppState) {
  return { spec, parameters: values.parameters, modules };
}

async function releaseChanges(
  parts: Pick<Parts, "store">,
  from: StoredRecord,
  to: StoredRecord,
): Promise<readonly Change[]> {
  const [was, is] = [await releasesAfter(parts, from), await releasesAfter(parts, to)];
  const changes: Change[] = [];
  for (const id of new Set([...was.keys(), ...is.keys()])) {
    const [before, after] = [was.get(id), is.get(id)];
    if (before === after) continue;
    changes.push({
      path: `installations.${id}.release`,
      what: "release",
      action: before === undefined ? "add" : after === undefined ? "remove" : "change",
      why: "",
      ...(before === undefined ? {} : { before: await releaseNameOf(parts, before) }),
      ...(after === undefined ? {} : { after: await releaseNameOf(parts, after) }),
      secret: false,
      decided: false,
    });
  }
  return changes;
}
