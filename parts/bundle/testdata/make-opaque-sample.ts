/**
 * Wrote `v1/opaque.sampan`, `v1/opaque-increment.sampan` and `v1/opaque-volumes.vol*.sampan`: the cargo of this room's tests, whose packs
 * and recipes only `memory-cargo.ts` can unpack.
 */
import { sampleCargo, sampleIncrement } from "../src/sample-bundle.ts";
import { writeBundle, writeFiles } from "../src/write-bundle.ts";

const folder = `${import.meta.dirname}/v1`;
const { cargo, options } = await sampleCargo();
await writeBundle(cargo, `${folder}/opaque.sampan`, options);
const increment = await sampleIncrement();
await writeBundle(increment.cargo, `${folder}/opaque-increment.sampan`, increment.options);
await writeFiles(cargo, `${folder}/opaque-volumes.sampan`, { ...options, volumeSizeBytes: 30_000 });
