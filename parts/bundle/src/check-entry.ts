import type { Problem } from "@sampan/problem";
import { bundleProblem } from "./problems.ts";
import { INDEX_NAME, LAYOUT_NAME } from "./root.ts";
import { type ReadHeader, readHeader, renderHeader } from "./tar-entry.ts";

const NAME_FORM = /^blobs\/sha256\/[0-9a-f]{64}$/;

const CHECKSUM = { start: 148, end: 156 };

/** What must stand at a place. Where the size is not yet known, a limit. */
export interface ExpectedEntry {
  readonly name: string;
  readonly size?: number;
  readonly sizeBytesMax: number;
}

/** Checks a header against the only form it may have; returns the entry's size. Throws BUNDLE_INVALID or BUNDLE_DAMAGED. */
export function checkHeader(header: Buffer, expected: ExpectedEntry): number {
  const said = readHeader(header);
  const size = expected.size ?? said.size;
  if (
    !Number.isSafeInteger(size) ||
    size > expected.sizeBytesMax ||
    !renderHeader(expected.name, size).equals(header)
  )
    throw explain(header, said, expected);
  return size;
}

function explain(header: Buffer, said: ReadHeader, expected: ExpectedEntry): Problem {
  const invalid = (why: string) =>
    bundleProblem("BUNDLE_INVALID", "the file is not a bundle in the form of format 1", {
      why,
      hint: "it was not written by Sampan, or was packed anew by another tool; ask for the original file",
    });
  const name = JSON.stringify(said.name);
  if (said.kind === "foreign" && expected.name === LAYOUT_NAME) return invalid("it is not a tar archive");
  if (said.kind === "foreign" || said.kind === "damaged" || isOnlyChecksumAltered(header, expected))
    return bundleProblem("BUNDLE_DAMAGED", "the bundle is damaged", {
      why: `the header of ${expected.name} does not have its own checksum`,
      hint: "copy it again from where it came from",
    });
  if (said.kind === "end") return invalid(`it ends before ${expected.name}`);
  if (said.typeflag !== "0")
    return invalid(
      `entry ${name} is of type ${JSON.stringify(said.typeflag)}: only regular files are allowed`,
    );
  if (said.name !== LAYOUT_NAME && said.name !== INDEX_NAME && !NAME_FORM.test(said.name))
    return invalid(`entry ${name} has a name that no bundle has`);
  if (said.name !== expected.name)
    return invalid(
      `entry ${name} stands where ${expected.name} must be: it is not listed, out of order or twice`,
    );
  if (expected.size !== undefined && said.size !== expected.size)
    return invalid(`entry ${name} says ${said.size} bytes, but ${expected.size} are listed`);
  if (!(said.size <= expected.sizeBytesMax))
    return invalid(`entry ${name} says ${said.size} bytes, at most ${expected.sizeBytesMax} are allowed`);
  return invalid(`the header of ${name} has fields that no bundle has`);
}

/** The checksum may have the right digits, and other bytes around them. */
function isOnlyChecksumAltered(header: Buffer, expected: ExpectedEntry): boolean {
  if (expected.size === undefined) return false;
  const wanted = renderHeader(expected.name, expected.size);
  header.copy(wanted, CHECKSUM.start, CHECKSUM.start, CHECKSUM.end);
  return wanted.equals(header);
}

/** True when all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
