import type { Bench } from "./bench.ts";
import { hashBench } from "./hash.ts";

/** What `npm run bench -- NAME` knows. */
export const BENCHES: readonly Bench[] = [hashBench];
