import { isProblem } from "@sampan/problem";
import { describe, expect, test } from "vitest";
import { openBundleFrom } from "./bundle.ts";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf } from "./content-entries.ts";
import { renderEnvelope } from "./envelope.ts";
import {
  alteredHeader,
  forgeEnvelope,
  forgeRoot,
  joinTar,
  splitTar,
  type TarPart,
  tarPart,
} from "./forge-bundle.ts";
import { blobName, digestOf, PAYLOAD_TYPE } from "./root.ts";
import { memorySource, packed, sampleCargo } from "./sample-bundle.ts";
import { END_BYTES, entryBytes } from "./tar-entry.ts";
import { verifyContent } from "./verify-bundle.ts";

async function sample(): Promise<Buffer> {
  const { cargo, options } = await sampleCargo();
  return packed(cargo, options);
}

async function check(bytes: Uint8Array, code: string, why: RegExp): Promise<void> {
  const error = await openBundleFrom(memorySource(bytes))
    .then((bundle) => verifyContent(bundle))
    .then(() => new Error("it passed"))
    .catch((error) => error);
  if (!isProblem(error)) throw error;
  expect(`${error.code}: ${error.why ?? error.message}`).toMatch(why);
  expect(error.code).toBe(code);
}

/** Alters the entries of a whole bundle; the first five are its root. */
async function checkTar(alter: (parts: TarPart[]) => void, code: string, why: RegExp): Promise<void> {
  const parts = splitTar(await sample());
  alter(parts);
  await check(joinTar(parts), code, why);
}

describe("a file that is no bundle", () => {
  const rows: [string, Buffer, string, RegExp][] = [
    ["nothing", Buffer.alloc(0), "BUNDLE_TRUNCATED", /it has 0 bytes/],
    ["a text", Buffer.from("hello ".repeat(200)), "BUNDLE_INVALID", /not a tar archive/],
    [
      "a zip",
      Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(2000, 7)]),
      "BUNDLE_INVALID",
      /not a tar archive/,
    ],
    ["zeros", Buffer.alloc(4096), "BUNDLE_INVALID", /ends before oci-layout/],
    [
      "another tar",
      joinTar([tarPart("manifest.json", "[]")]),
      "BUNDLE_INVALID",
      /"manifest.json" has a name/,
    ],
    [
      "an OCI layout of another tool",
      joinTar([tarPart("index.json", "{}")]),
      "BUNDLE_INVALID",
      /out of order/,
    ],
  ];
  for (const [name, bytes, code, why] of rows) test(`${name} is refused`, () => check(bytes, code, why));
});

describe("a hostile tar", () => {
  const link = (typeflag: string) => {
    const { header } = tarPart(blobName(digestOf(Buffer.from("x"))), "");
    return {
      header: alteredHeader(alteredHeader(header, 156, typeflag), 157, "/etc/passwd"),
      data: Buffer.alloc(0),
    };
  };
  const insert = (part: TarPart, at: number) => (parts: TarPart[]) => void parts.splice(at, 0, part);
  const head = (at: number, offset: number, field: string) => (parts: TarPart[]) => {
    const part = parts[at]!;
    parts[at] = { ...part, header: alteredHeader(part.header, offset, field) };
  };
  const rows: [string, (parts: TarPart[]) => void, RegExp][] = [
    ["a path that escapes", insert(tarPart("../x", "x"), 5), /"\.\.\/x" has a name that no bundle has/],
    ["a path that escapes, first", insert(tarPart("../x", "x"), 0), /"\.\.\/x" has a name/],
    ["an escape inside blobs", insert(tarPart("blobs/sha256/../../x", "x"), 6), /has a name/],
    ["an absolute path", insert(tarPart("/etc/cron.d/x", "x"), 6), /has a name/],
    ["a name in capitals", insert(tarPart(`blobs/sha256/${"A".repeat(64)}`, "x"), 6), /has a name/],
    ["a symbolic link", insert(link("2"), 6), /of type "2"/],
    ["a hard link", insert(link("1"), 6), /of type "1"/],
    ["a device", insert(link("3"), 6), /of type "3"/],
    ["a folder", insert(link("5"), 6), /of type "5"/],
    ["a pax record", insert(link("x"), 6), /of type "x"/],
    ["a GNU long name", insert(link("L"), 0), /of type "L"/],
    [
      "a blob that is not listed",
      insert(tarPart(blobName(digestOf(Buffer.from("x"))), "x"), 6),
      /not listed/,
    ],
    ["a blob that comes twice", (parts) => void parts.splice(6, 0, parts[5]!), /out of order or twice/],
    [
      "two blobs that changed places",
      (parts) => void parts.splice(6, 0, parts.splice(5, 1)[0]!),
      /out of order/,
    ],
    ["a size that is too small", head(6, 124, "00000000001"), /says 1 bytes, but \d+ are listed/],
    ["a size that is too large", head(6, 124, "77777777777"), /says 8589934591 bytes/],
    ["a size in base 256", head(6, 124, "\u0001\u0000\u0000\u0000"), /says NaN bytes/],
    ["an index of 8 GiB", head(1, 124, "77777777777"), /at most 16777216 are allowed/],
    ["a manifest of 8 GiB", head(2, 124, "77777777777"), /says 8589934591 bytes/],
    ["a time", head(6, 136, "14000000000"), /fields that no bundle has/],
    ["an owner", head(0, 108, "0001750"), /fields that no bundle has/],
    ["a name behind the name", head(6, 95, "x"), /fields that no bundle has/],
  ];
  for (const [name, alter, why] of rows)
    test(`${name} is refused, in a file of the right size`, async () => {
      const parts = splitTar(await sample());
      const { length } = joinTar(parts);
      alter(parts);
      await check(joinTar(parts).subarray(0, length), "BUNDLE_INVALID", why);
    });

  test("an entry that is not listed is refused before content is read", async () => {
    const parts = splitTar(await sample());
    parts.push(tarPart(blobName(digestOf(Buffer.from("x"))), "x"));
    const opening = openBundleFrom(memorySource(joinTar(parts)));
    await expect(opening).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  });

  test("a blob that is missing is refused", () =>
    checkTar((parts) => void parts.splice(7, 1), "BUNDLE_TRUNCATED", /at least \d+ belong to it/));

  test("a blob with other content is refused", () =>
    checkTar(
      (parts) => {
        parts[6] = { ...parts[6]!, data: Buffer.alloc(parts[6]!.data.length, 1) };
      },
      "BUNDLE_DAMAGED",
      /does not have its digest/,
    ));
});

describe("a hostile root", () => {
  const index = (alter: (text: string) => string | Buffer) => async () =>
    forgeRoot(renderEnvelope(await forgeEnvelope("{}")), (text) => alter(text.toString()));
  const envelope = (alter: (text: string) => string) => async () =>
    forgeRoot(Buffer.from(alter(renderEnvelope(await forgeEnvelope("{}")).toString())));
  const signature = { keyid: digestOf(Buffer.from("key")), sig: Buffer.alloc(64).toString("base64") };
  const rows: [string, () => Promise<Buffer>, string, RegExp][] = [
    ["an index that is no JSON", index(() => "{"), "BUNDLE_INVALID", /index.json is not exactly/],
    [
      "an index that is no UTF-8",
      index(() => Buffer.from([0x7b, 0xff, 0x7d])),
      "BUNDLE_INVALID",
      /index.json/,
    ],
    ["a deep index", index(() => "[".repeat(5_000_000)), "BUNDLE_INVALID", /index.json/],
    [
      "an index with two manifests",
      index((t) => t.replace(/\[(.*)\]/, "[$1,$1]")),
      "BUNDLE_INVALID",
      /index.json/,
    ],
    [
      "an index of another artifact",
      index((t) => t.replace("sampan", "other")),
      "BUNDLE_INVALID",
      /vnd.other.bundle/,
    ],
    [
      "an index of version 0",
      index((t) => t.replace("bundle.v1", "bundle.v0")),
      "BUNDLE_INVALID",
      /bundle.v0/,
    ],
    [
      "an index of version 2",
      index((t) => t.replace("bundle.v1", "bundle.v2")),
      "BUNDLE_TOO_NEW",
      /reads format 1/,
    ],
    [
      "an index of version 12",
      index((t) => t.replace("bundle.v1", "bundle.v12")),
      "BUNDLE_TOO_NEW",
      /reads format 1/,
    ],
    [
      "an index that names a large manifest",
      index((t) => t.replace(/"size":\d+/, '"size":4194305')),
      "BUNDLE_INVALID",
      /at most 4194304/,
    ],
    [
      "an index with another digest",
      index((t) => t.replace(/sha256:.{64}/, signature.keyid)),
      "BUNDLE_INVALID",
      /out of order/,
    ],
    ["an index with a line break", index((t) => `${t}\n`), "BUNDLE_INVALID", /document/],
    ["an envelope that is no JSON", envelope(() => "nothing"), "BUNDLE_INVALID", /envelope/],
    ["an envelope with spaces", envelope((t) => t.replace(":", ": ")), "BUNDLE_INVALID", /keys or texts/],
    [
      "an envelope with another key",
      envelope((t) => t.replace("{", '{"more":1,')),
      "BUNDLE_INVALID",
      /envelope/,
    ],
    [
      "an envelope with a key twice",
      envelope((t) => t.replace("{", '{"payload":"",')),
      "BUNDLE_INVALID",
      /keys or texts/,
    ],
    [
      "a payload that is no base64",
      envelope((t) => t.replace('"e30="', '"e3 0"')),
      "BUNDLE_INVALID",
      /envelope/,
    ],
    [
      "a short signature",
      envelope((t) => t.replace(/"sig":"[^"]+/, '"sig":"AAAA')),
      "BUNDLE_INVALID",
      /envelope/,
    ],
    [
      "a key that signs twice",
      envelope((t) => t.replace(/\[(.*)\]/, "[$1,$1]")),
      "BUNDLE_INVALID",
      /signed twice/,
    ],
    [
      "17 signatures",
      envelope((t) => t.replace(/\[.*\]/, JSON.stringify(Array(17).fill(signature)))),
      "BUNDLE_INVALID",
      /envelope/,
    ],
    [
      "a payload of another type",
      async () => forgeRoot(renderEnvelope(await forgeEnvelope("{}", `${PAYLOAD_TYPE}x`))),
      "BUNDLE_INVALID",
      /json\+?x/,
    ],
    [
      "a manifest that lists less than the document",
      async () => forgeRoot((await sampleEnvelope()).bytes),
      "BUNDLE_INVALID",
      /the document tells \d+/,
    ],
    [
      "a root of another size than the document tells",
      async () => {
        const parts = splitTar(await sample());
        const text = Buffer.concat([parts[1]!.data, Buffer.alloc(512, " ")]);
        return joinTar(parts.with(1, tarPart("index.json", text)));
      },
      "BUNDLE_INVALID",
      /the document tells \d+/,
    ],
    [
      "an index padded with something else",
      async () => {
        const parts = splitTar(await sample());
        const text = Buffer.from(parts[1]!.data.toString().replace(/ $/, "\n"));
        return joinTar(parts.with(1, tarPart("index.json", text)));
      },
      "BUNDLE_INVALID",
      /the root is not exactly/,
    ],
  ];
  for (const [name, make, code, why] of rows)
    test(`${name} is refused`, async () => check(await make(), code, why));
});

async function sampleEnvelope() {
  const bundle = await openBundleFrom(memorySource(await sample()));
  return { document: bundle.document, bytes: renderEnvelope(bundle.envelope) };
}

describe("a hostile document", () => {
  // biome-ignore format: one row a line
  const rows: [string, (document: Loose) => void, RegExp][] = [
    ["an unknown key", (d) => { d.more = 1; }, /: .*unrecognized/i],
    ["an unknown kind", (d) => { d.kind = "half"; }, /kind/],
    ["no releases", (d) => { d.releases = undefined; }, /releases/],
    ["65 releases", (d) => { d.releases = Array(65).fill(d.releases[0]); }, /releases/],
    ["a release that comes twice", (d) => { d.releases.push(d.releases[1]); }, /named twice/],
    ["releases out of order", (d) => { d.releases.reverse(); }, /out of order/],
    ["images out of order", (d) => { d.images.reverse(); }, /out of order/],
    ["layers out of order", (d) => { d.layers.reverse(); }, /order of first use/],
    ["a layer that no image has", (d) => { d.images.pop(); d.releases.forEach(forget(d)); }, /not used/],
    ["an image that no release has", (d) => { for (const r of d.releases) r.images = []; }, /in no release/],
    ["an image that is not there", (d) => { d.images.shift(); }, /not in the bundle/],
    ["a layer that is not there", (d) => { d.layers.pop(); }, /not in the bundle/],
    ["a pack that comes twice", (d) => { d.packs.push(d.packs[0]); }, /named twice/],
    ["a pack of 33 MiB", (d) => { d.packs[0].size = 33 * 1024 * 1024; }, /packs\.0\.size/],
    ["a negative size", (d) => { d.packs[0].size = -1; }, /packs\.0\.size/],
    ["a broken size", (d) => { d.packs[0].size = 1.5; }, /packs\.0\.size/],
    ["a size beyond all numbers", (d) => { d.layers[0].size = 2 ** 60; }, /layers\.0\.size/],
    ["a digest in capitals", (d) => { d.packs[0].digest = d.packs[0].digest.toUpperCase(); }, /packs\.0\.digest/],
    ["two sizes for one digest", (d) => { d.blobs[0].digest = d.packs[0].digest; }, /two sizes/],
    ["a sum that is wrong", (d) => { d.sizes.content += 1; }, /sizes\.content/],
    ["a sum of layers that is wrong", (d) => { d.sizes.layers -= 1; }, /sizes\.layers/],
    ["a root off the grid", (d) => { d.sizes.root += 1; }, /sizes\.root/],
    ["a text with a control character", (d) => { d.releases[0].version = "1\u001b[2J"; }, /version/],
    ["a text with half a character", (d) => { d.releases[0].version = "\ud800"; }, /version/],
    ["a text of 257 characters", (d) => { d.releases[0].version = "1".repeat(257); }, /version/],
    ["an empty text", (d) => { d.releases[0].version = ""; }, /version/],
    ["a base of a full bundle", (d) => { d.requires = []; }, /requires/],
    ["an increment without base", (d) => { d.kind = "increment"; }, /requires/],
    ["no volumes", (d) => { d.volumes = []; }, /volumes/],
    ["1025 volumes", (d) => { d.volumes = Array(1025).fill({ entries: 1, size: 1 }); }, /volumes/],
    ["an empty volume", (d) => { d.volumes = inVolumes(d, [0, 14]); }, /volumes\.0\.entries/],
    ["more volumes than content", (d) => { d.volumes = inVolumes(d, [7, 8]); }, /have 15 entries, but 14/],
    ["volumes with less than the content", (d) => { d.volumes = inVolumes(d, [7, 6]); }, /have 13 entries, but 14/],
    ["a volume of another size", (d) => { d.volumes = inVolumes(d, [7, 7]); d.volumes[1].size += 512; }, /volumes\.1\.size: is/],
    ["24 001 packs", (d) => { d.packs = Array(24_001).fill(d.packs[0]); }, /packs/],
    ["a reader level of 0", (d) => { d.policy.minReader = 0; }, /minReader/],
  ];
  for (const [name, alter, fault] of rows)
    test(`${name} is refused`, async () => {
      const document: Loose = structuredClone((await sampleEnvelope()).document);
      alter(document);
      const payload = JSON.stringify(document, (_, value) => value);
      const bytes = forgeRoot(renderEnvelope(await forgeEnvelope(payload)));
      const error = await openBundleFrom(memorySource(bytes)).catch((error) => error);
      if (!isProblem(error, "BUNDLE_INVALID")) throw error;
      expect(error.faults.map((item) => `${item.path}: ${item.message}`).join("\n")).toMatch(fault);
    });

  const texts: [string, (text: string) => string, string][] = [
    ["spaces", (text) => `${text} `, "BUNDLE_INVALID"],
    [
      "another order",
      (text) => text.replace(/^\{("blobs":.*),("createdBy":"[^"]*")/, "{$2,$1"),
      "BUNDLE_INVALID",
    ],
    ["a key twice", (text) => text.replace("{", '{"kind":"full",'), "BUNDLE_INVALID"],
    ["a prototype", (text) => text.replace("{", '{"__proto__":{"kind":"full"},'), "BUNDLE_INVALID"],
    ["another escape", (text) => text.replace('"kind"', '"\\u006bind"'), "BUNDLE_INVALID"],
    ["another number", (text) => text.replace('"formatVersion":1', '"formatVersion":1.0'), "BUNDLE_INVALID"],
    ["no JSON", (text) => text.slice(1), "BUNDLE_INVALID"],
    ["null", () => "null", "BUNDLE_INVALID"],
    ["a list", () => "[]", "BUNDLE_INVALID"],
    [
      "format 2",
      (text) => text.replace('"formatVersion":1', '"formatVersion":2,"news":[]'),
      "BUNDLE_TOO_NEW",
    ],
  ];
  for (const [name, alter, code] of texts)
    test(`a document with ${name} is refused`, async () => {
      const text = alter(renderCanonical((await sampleEnvelope()).document).toString());
      const bytes = forgeRoot(renderEnvelope(await forgeEnvelope(text)));
      await expect(openBundleFrom(memorySource(bytes))).rejects.toMatchObject({ code });
    });

  test("a document of more than 8 MiB is refused", async () => {
    const bytes = forgeRoot(renderEnvelope(await forgeEnvelope(" ".repeat(8 * 1024 * 1024 + 1))));
    await check(bytes, "BUNDLE_INVALID", /the document says 8388609 bytes/);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: these documents are broken on purpose
type Loose = any;

/** Volumes whose sizes fit the entries that they would have. */
function inVolumes(document: Loose, entries: readonly number[]) {
  const volumes = entries.map((count) => ({ entries: count, size: document.sizes.root + END_BYTES }));
  for (const { volume, size } of contentOf({ ...document, volumes }))
    volumes[volume - 1]!.size += entryBytes(size);
  return volumes;
}

function forget(document: Loose) {
  const kept = new Set(document.images.map((image: Loose) => image.imageId));
  return (release: Loose) => {
    release.images = release.images.filter((image: Loose) => kept.has(image));
  };
}
