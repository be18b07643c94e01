/**
 * Made `v1/hold.sampan` (shop 1.0), `v1/hold-volumes.vol*.sampan` (2.0, in volumes) and `v1/hold-increment.sampan` (3.0 on 2.0), all from
 * a real hold. `hold.sampan` is older than the others.
 */
import { writeBundle, writeFiles } from "../src/write-bundle.ts";
import { captureShop, withHold } from "./hold-shop.ts";

const folder = `${import.meta.dirname}/v1`;
await withHold(async (hold) => {
  const old = await captureShop(hold, "1.0");
  await writeBundle(hold, `${folder}/hold.sampan`, old.options);
  const second = await captureShop(hold, "2.0");
  await writeFiles(hold, `${folder}/hold-volumes.sampan`, {
    ...second.options,
    packSizeBytes: 6000,
    volumeSizeBytes: 36_000,
  });
  const third = await captureShop(hold, "3.0");
  await writeBundle(hold, `${folder}/hold-increment.sampan`, { ...third.options, bases: [second.base] });
});
