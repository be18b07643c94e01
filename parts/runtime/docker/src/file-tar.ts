/** Writes and reads the small tars of the engine's archive calls (POSIX.1-1988 ustar, with pax records for long paths and large owners). */
import { Bug } from "@sampan/problem";

export interface TarFile {
  /** Relative, without a leading slash. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;
const ID_MAX = 0o7777777;
/** Entries that only say more about the next one: pax records, GNU long names. */
const RECORD_TYPES = ["x", "g", "L", "K"];

export function writeTar(files: readonly TarFile[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const file of files) {
    const record = Buffer.from(paxRecords(file).join(""));
    if (record.length > 0)
      blocks.push(header({ path: "pax", content: record, mode: 0o644, uid: 0, gid: 0 }, "x"), padded(record));
    blocks.push(header(file, "0"), padded(file.content));
  }
  blocks.push(new Uint8Array(2 * BLOCK_BYTES));
  return Buffer.concat(blocks);
}

/** What a tar begins with, when that is a regular file. */
export function readFirstFile(tar: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength);
  for (let at = 0; at + BLOCK_BYTES <= bytes.length; ) {
    const size = Number.parseInt(bytes.toString("latin1", at + 124, at + 136), 8);
    const type = String.fromCharCode(bytes.readUInt8(at + 156));
    if (Number.isNaN(size)) return undefined;
    const body = at + BLOCK_BYTES;
    if (type === "0" || type === "\0") return bytes.subarray(body, body + size);
    if (!RECORD_TYPES.includes(type)) return undefined;
    at = body + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}

function header(file: TarFile, type: "0" | "x"): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  const name = Buffer.from(file.path).subarray(0, NAME_BYTES_MAX);
  block.set(name, 0);
  block.write(octal(file.mode, 7), 100, "latin1");
  block.write(octal(fits(file.uid) ? file.uid : 0, 7), 108, "latin1");
  block.write(octal(fits(file.gid) ? file.gid : 0, 7), 116, "latin1");
  block.write(octal(file.content.length, 11), 124, "latin1");
  block.write(octal(0, 11), 136, "latin1");
  block.fill(" ", 148, 156);
  block.write(type, 156, "latin1");
  block.write("ustar\0" + "00", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return block;
}

function octal(value: number, digits: number): string {
  const text = value.toString(8).padStart(digits, "0");
  if (text.length > digits || value < 0) throw new Bug(`${value} does not fit in a tar header`);
  return text;
}

function padded(content: Uint8Array): Uint8Array {
  const block = new Uint8Array(Math.ceil(content.length / BLOCK_BYTES) * BLOCK_BYTES);
  block.set(content);
  return block;
}

/** What the fields of a header have no room for. */
function paxRecords({ path, uid, gid }: TarFile): readonly string[] {
  return [
    ...(Buffer.byteLength(path) > NAME_BYTES_MAX ? [paxRecord("path", path)] : []),
    ...(fits(uid) ? [] : [paxRecord("uid", String(uid))]),
    ...(fits(gid) ? [] : [paxRecord("gid", String(gid))]),
  ];
}

function fits(id: number): boolean {
  return id <= ID_MAX;
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const body = Buffer.byteLength(` ${key}=${value}\n`);
  let length = body + String(body).length;
  if (body + String(length).length !== length) length = body + String(length).length;
  return `${length} ${key}=${value}\n`;
}
