import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 4;
const BETWEEN_MS = 500;

/** Orders are paid from 3.2 on: by a component that its authors forgot to put into the release. */
async function findPayments() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await lookup("payments");
    } catch (error) {
      if (attempt === TRIES) throw new Error("there is no component `payments` to pay at", { cause: error });
      await sleep(BETWEEN_MS);
    }
  }
}

await findPayments();
await import("./main.js");
