import { expect, test } from "vitest";
import { Counterparts } from "./counterparts.ts";
import { capture, load } from "./test-cargo.ts";
import { imageOf, noise, TestHolds, tarOf } from "./test-images.ts";

const MIB = 1024 * 1024;
const file = (path: string, size = 1000) => ({ path: Buffer.from(path), size });

/** Files of the base by layer, each one piece. Tells which piece a file of another version is compared with. */
function find(
  base: readonly { readonly path: string; readonly layer: number }[],
  path: string,
  pair?: number,
) {
  const counterparts = new Counterparts();
  counterparts.want(file(path), pair);
  base.forEach((entry, number) => {
    const offered = counterparts.offer(file(entry.path), entry.layer);
    offered?.pieces.push({ piece: number + 1, length: 1000 });
    if (offered !== undefined) counterparts.settle(offered);
  });
  const found = counterparts.find(file(path), pair);
  if (found === undefined) return undefined;
  const [piece] = counterparts.piecesLike(found, { offset: 0, length: 1000, fileSize: 1000 });
  return { ...base[piece! - 1]!, isSamePath: found.isSamePath };
}

test.each([
  {
    why: "the same path in the layer most alike",
    base: [
      { path: "app/app.jar", layer: 0 },
      { path: "app/app.jar", layer: 1 },
    ],
    path: "app/app.jar",
    found: { layer: 1, isSamePath: true },
  },
  {
    why: "else the same path anywhere",
    base: [
      { path: "app/other.jar", layer: 1 },
      { path: "app/app.jar", layer: 0 },
    ],
    path: "app/app.jar",
    found: { path: "app/app.jar", isSamePath: true },
  },
  {
    why: "else the same path with other numbers",
    base: [
      { path: "old/libssl.so.3.0.20", layer: 0 },
      { path: "lib/libssl.so.3.0.9", layer: 0 },
    ],
    path: "lib/libssl.so.3.0.22",
    found: { path: "lib/libssl.so.3.0.9", isSamePath: false },
  },
  {
    why: "else the same name",
    base: [{ path: "dist/main.js", layer: 0 }],
    path: "build/main.js",
    found: { path: "dist/main.js", isSamePath: false },
  },
])("a file is compared with $why", ({ base, path, found }) => {
  expect(find(base, path, 1)).toMatchObject(found);
});

test("a file that resembles nothing has no counterpart", () => {
  expect(find([{ path: "app/main.js", layer: 0 }], "app/style.css")).toBeUndefined();
});

test("of a large counterpart only what is around the same place is taken, of a small one all", () => {
  const like = (pieces: number, offset: number) => {
    const counterparts = new Counterparts();
    const large = file("bin/server", pieces * 64 * 1024);
    counterparts.want(large, undefined);
    const offered = counterparts.offer(large, 0)!;
    for (let piece = 1; piece <= pieces; piece += 1) offered.pieces.push({ piece, length: 64 * 1024 });
    counterparts.settle(offered);
    const place = { offset, length: 64 * 1024, fileSize: large.size };
    return counterparts.piecesLike(counterparts.find(large, undefined)!, place);
  };
  expect(like(32, 0)).toHaveLength(32);
  const around = like(1600, 50 * MIB);
  expect([around[0], around.length]).toEqual([793, 17]);
  expect(like(1600, 0)).toHaveLength(9);
});

test("long names, in pax or other headers, are told as they are", async () => {
  await using holds = new TestHolds();
  const path = `app/${"folder-with-a-long-name/".repeat(6)}Wörterbuch-字典.js`;
  const old = imageOf([await tarOf([{ name: path, body: noise(5000, 1) }])]);
  const changed = noise(5000, 1);
  changed[99]! ^= 1;
  const fresh = imageOf([await tarOf([{ name: `./${path}`, body: changed }])]);
  const vendor = await holds.fresh();
  await capture(vendor, old, fresh);
  const base = [old.diffIds];
  const { increment } = await vendor.measure(fresh.diffIds, { base });
  expect(increment?.layers.get(fresh.diffIds[0]!)?.largest).toEqual([
    { path, kind: "changed", newBytes: 5000 },
  ]);
  const { packs } = await load(vendor, fresh.diffIds, { base });
  expect(packs[0]!.bytes.length).toBeLessThan(300);
});
