import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSegment, SegmentWriter } from "./recipe.ts";
import { LayerSplitter } from "./splitter.ts";
import { noise, type TestEntry, tarOf } from "./test-images.ts";

interface Cut {
  readonly segments: readonly { readonly plain: Uint8Array; readonly layerBytes: number }[];
  readonly pieces: ReadonlyMap<string, Uint8Array>;
  /** Bytes of the layer that are in the recipe rather than in pieces. */
  readonly recipeSize: number;
}

function cut(bytes: Uint8Array, chunkSize: number): Cut {
  const segments: { plain: Uint8Array; layerBytes: number }[] = [];
  const pieces = new Map<string, Uint8Array>();
  const writer = new SegmentWriter((segment) => segments.push(segment));
  const splitter = new LayerSplitter({
    header: (block) => writer.header(block),
    literal: (literal) => writer.literal(literal),
    zeros: (length) => writer.zeros(length),
    piece: (piece) => {
      const id = hash("sha256", piece, "buffer");
      pieces.set(id.toString("hex"), piece.slice());
      writer.piece(id, piece.length);
    },
  });
  for (let at = 0; at < bytes.length; at += chunkSize) splitter.push(bytes.subarray(at, at + chunkSize));
  splitter.end();
  writer.end();
  return { segments, pieces, recipeSize: segments.reduce((sum, { plain }) => sum + plain.length, 0) };
}

function rebuild({ segments, pieces }: Cut): Buffer {
  return Buffer.concat(
    segments.flatMap(({ plain, layerBytes }) =>
      decodeSegment(plain, layerBytes).map((part) => {
        if (part.kind === "zeros") return Buffer.alloc(part.length);
        return part.kind === "bytes" ? part.bytes : pieces.get(Buffer.from(part.id).toString("hex"))!;
      }),
    ),
  );
}

function check(bytes: Uint8Array, chunkSize: number): Cut {
  const once = cut(bytes, chunkSize);
  expect(rebuild(once).equals(bytes)).toBe(true);
  const other = cut(bytes, 3 * chunkSize + 1);
  expect(other.segments).toEqual(once.segments);
  return once;
}

const names = fc.string({
  minLength: 1,
  maxLength: 220,
  unit: fc.constantFrom("a", "b", "/", ".", "é", "文"),
});
const sizes = fc.oneof(
  fc.nat(100),
  fc.constantFrom(31, 32, 33, 511, 512, 513, 262_143, 262_144, 262_145, 700_000),
);
const entries: fc.Arbitrary<TestEntry> = fc.oneof(
  fc.record({
    name: names,
    mode: fc.nat(0o7777),
    uid: fc.oneof(fc.nat(70_000), fc.constant(3_000_000)),
    gid: fc.nat(70_000),
    mtime: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
    uname: fc.constantFrom("", "root", "nobody"),
    body: fc.tuple(sizes, fc.nat(3)).map(([size, seed]) => noise(size, seed)),
  }),
  fc.record({ name: names, type: fc.constantFrom("symlink" as const, "link" as const), linkname: names }),
  fc.record({ name: names, type: fc.constant("directory" as const) }),
  fc.record({
    name: names,
    type: fc.constantFrom("character-device" as const, "block-device" as const),
    devmajor: fc.nat(255),
    devminor: fc.nat(255),
  }),
);

/** A tar of odd entries, with bytes put in, taken out and cut off. */
const tarLike = fc
  .record({
    entries: fc.array(entries, { maxLength: 8 }),
    spoil: fc.array(
      fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255), take: fc.nat(3) }),
      { maxLength: 3 },
    ),
    junk: fc.uint8Array({ maxLength: 2000 }),
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(async ({ entries, spoil, junk, keep }) => {
    let bytes = Buffer.concat([await tarOf(entries), junk]);
    for (const { at, byte, take } of spoil) {
      const place = Math.floor(at * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place + take)]);
    }
    return bytes.subarray(0, Math.ceil(keep * bytes.length));
  });

test("any stream, however odd or broken, is rebuilt bit for bit, however it comes in chunks", async () => {
  await fc.assert(
    fc.asyncProperty(tarLike, fc.integer({ min: 1, max: 300_000 }), async (bytes, chunkSize) => {
      check(await bytes, chunkSize);
    }),
    { numRuns: 150 },
  );
});

test("bytes that are no tar at all are cut by their content", () => {
  const { pieces, recipeSize } = check(noise(900_000, 7), 100_000);
  expect(pieces.size).toBeGreaterThan(3);
  expect(recipeSize).toBeLessThan(2000);
});

/** Headers written by hand: what the tar writer of the tests cannot make. */
function header(fields: { type: string; size: number | "base256"; name?: string }): Buffer {
  const block = Buffer.alloc(512);
  block.write(fields.name ?? "file", 0);
  block.write("0000644\x000000000\x000000000\0", 100, "latin1");
  if (fields.size === "base256") Buffer.from("800000000000000000000190", "hex").copy(block, 124);
  else block.write(`${fields.size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("14000000000\0", 136);
  block.write(fields.type, 156);
  block.write("ustar  \0", 257, "latin1");
  return block;
}

function sealed(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const body = noise(400, 1);
const tail = [
  sealed(header({ type: "0", size: 400, name: "after" })),
  padded(noise(400, 2)),
  Buffer.alloc(1024),
];
const pax = (text: string) => [sealed(header({ type: "x", size: text.length })), padded(Buffer.from(text))];
const globalPax = (text: string) => [
  sealed(header({ type: "g", size: text.length })),
  padded(Buffer.from(text)),
];

function sparse(): Buffer[] {
  const first = header({ type: "S", size: 400 });
  first[482] = 1;
  const more = Buffer.alloc(512);
  more[504] = 1;
  return [sealed(first), more, Buffer.alloc(512, 1).fill(0, 504), padded(body)];
}

// Each is followed by one more file: when its content is a piece of its own, the walker kept its place.
test.each([
  { what: "a size in base 256", parts: [sealed(header({ type: "0", size: "base256" })), padded(body)] },
  {
    what: "a size told by a pax header",
    parts: [...pax("12 size=400\n"), sealed(header({ type: "0", size: 1 })), padded(body)],
  },
  {
    what: "a size told by a global pax header",
    parts: [...globalPax("12 size=400\n"), sealed(header({ type: "0", size: 1 })), padded(body)],
  },
  {
    what: "a GNU long name",
    parts: [
      sealed(header({ type: "L", size: 300 })),
      padded(Buffer.alloc(300, 97)),
      sealed(header({ type: "0", size: 400 })),
      padded(body),
    ],
  },
  { what: "an old GNU sparse file with extension blocks", parts: sparse() },
  { what: "a hard link that tells a size", parts: [sealed(header({ type: "1", size: 400 }))] },
  {
    what: "padding that is not zero",
    parts: [sealed(header({ type: "0", size: 400 })), body, Buffer.alloc(112, 9)],
  },
])("after $what the walker goes on", ({ parts }) => {
  const { pieces } = check(Buffer.concat([...parts, ...tail]), 700);
  expect(pieces.has(hash("sha256", noise(400, 2)))).toBe(true);
});

test("headers are kept as columns, not as bytes", async () => {
  const files = Array.from({ length: 500 }, (_, number) => ({
    name: `usr/share/doc/package-${number}/copyright`,
    body: noise(600, number % 5),
  }));
  const { recipeSize, pieces } = check(await tarOf(files), 65_536);
  expect(pieces.size).toBe(5);
  expect(recipeSize).toBeLessThan(500 * 80);
});

test("where a large file grows at its start, nearly all its pieces stay", async () => {
  const content = noise(2_000_000, 3);
  const before = check(await tarOf([{ name: "big", body: content }]), 65_536).pieces;
  const after = check(
    await tarOf([{ name: "big", body: Buffer.concat([noise(100, 4), content]) }]),
    65_536,
  ).pieces;
  const shared = [...after.keys()].filter((id) => before.has(id)).length;
  expect(shared).toBeGreaterThan(after.size - 4);
});

test("the same bytes give the same recipe for ever", async () => {
  const files = [
    { name: "etc/", type: "directory" as const, mode: 0o755 },
    { name: "etc/small", body: "a few bytes" },
    { name: "etc/file", mode: 0o600, uid: 1000, gid: 1000, uname: "user", body: noise(5000, 1) },
    { name: "etc/link", type: "symlink" as const, linkname: "file" },
    { name: `etc/${"x".repeat(150)}`, body: noise(400, 2) },
    { name: "large", body: noise(3_000_000, 3) },
  ];
  const { segments, pieces } = check(await tarOf(files), 65_536);
  expect(segments.map(({ plain }) => hash("sha256", plain))).toMatchInlineSnapshot(`
    [
      "47a13782101f83aa29c999544003ae3a407931263588b048976eb5f70bb26847",
    ]
  `);
  const lengths = [...pieces.values()].map(({ length }) => length);
  expect([lengths.length, hash("sha256", lengths.join())]).toMatchInlineSnapshot(`
    [
      41,
      "29f412581c47719faf601ed10f5df513e0843ddf9870dc5e6c49d0ac43332a16",
    ]
  `);
});
