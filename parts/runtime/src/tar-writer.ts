const BLOCK = 512;

/** One regular file of a tar. Names up to 100 bytes. */
export interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** 0644 when absent. */
  readonly mode?: number;
}

/** A tar (POSIX ustar) of regular files, time 0, owner 0: the same files give the same bytes. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const file of files) {
    parts.push(header(file), file.bytes);
    parts.push(new Uint8Array((BLOCK - (file.bytes.length % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

/** Offsets of POSIX ustar: name 0, mode 100, uid 108, gid 116, size 124, mtime 136, checksum 148, type 156, magic 257. */
function header({ name, bytes, mode }: TarFile): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new RangeError(`a tar name is too long: ${name}`);
  block.write(name, 0);
  block.write(`${(mode ?? 0o644).toString(8).padStart(7, "0")}\0`, 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
