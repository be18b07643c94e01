/** Wrote `v1/opaque.sampan`: the cargo of this room's tests, whose packs and recipes only `memory-cargo.ts` can unpack. */
import { sampleCargo } from "../src/sample-bundle.ts";
import { writeBundle } from "../src/write-bundle.ts";

const { cargo, options } = await sampleCargo();
await writeBundle(cargo, `${import.meta.dirname}/v1/opaque.sampan`, options);
