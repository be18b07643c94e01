import { setTimeout as sleep } from "node:timers/promises";

const NOTICED_AFTER_MS = 1000;

/** Orders are paid from 3.2 on, at an address that its authors forgot to put into the release. */
await sleep(NOTICED_AFTER_MS);
if (!process.env.PAYMENTS_URL) throw new Error("PAYMENTS_URL is not set: there is nowhere to pay");
await import("./main.js");
