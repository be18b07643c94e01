import type { Bench } from "./bench.ts";
import { exportBench } from "./export.ts";
import { hashBench } from "./hash.ts";
import { installBench } from "./install.ts";
import { planBench } from "./plan.ts";
import { restoreBench } from "./restore.ts";

/** What `npm run bench -- NAME` knows. */
export const BENCHES: readonly Bench[] = [exportBench, restoreBench, installBench, planBench, hashBench];
