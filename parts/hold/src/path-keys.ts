/**
 * Paths as numbers of 53 bits, for tables that stay small with a million files. Two paths that give one number only
 * make a worse choice of what to compress against.
 */
export function pathKey(path: Uint8Array, seed: number): number {
  let low = 0x811c9dc5 ^ seed;
  let high = 0x9e3779b9 + seed;
  for (let at = 0; at < path.length; at += 1) {
    low = Math.imul(low ^ path[at]!, 0x01000193);
    high = Math.imul(high ^ path[at]!, 0x85ebca6b);
    high ^= high >>> 13;
  }
  low = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d);
  const key = (high & 0x1fffff) * 2 ** 32 + ((low ^ (low >>> 13)) >>> 0);
  return key === 0 ? 1 : key;
}

/** Runs of digits become one 0: versions and numbers in a path then do not matter. */
export function maskDigits(path: Uint8Array): Uint8Array {
  const masked = new Uint8Array(path.length);
  let length = 0;
  for (const byte of path) {
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (isDigit && length > 0 && masked[length - 1] === 0x30) continue;
    masked[length] = isDigit ? 0x30 : byte;
    length += 1;
  }
  return masked.subarray(0, length);
}

export function baseName(path: Uint8Array): Uint8Array {
  return path.subarray(path.lastIndexOf(0x2f) + 1);
}

/** Numbers by key: 12 bytes a slot, whatever the number of entries. */
export class KeyTable {
  #keys = new Float64Array(1024);
  #values = new Int32Array(1024);
  #size = 0;

  get(key: number): number | undefined {
    const slot = this.#slot(key);
    return this.#keys[slot] === key ? this.#values[slot] : undefined;
  }

  set(key: number, value: number): void {
    const slot = this.#slot(key);
    this.#values[slot] = value;
    if (this.#keys[slot] === key) return;
    this.#keys[slot] = key;
    this.#size += 1;
    if (this.#size * 3 > this.#keys.length * 2) this.#grow();
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = key & mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Float64Array(keys.length * 2);
    this.#values = new Int32Array(keys.length * 2);
    keys.forEach((key, slot) => {
      if (key === 0) return;
      const to = this.#slot(key);
      this.#keys[to] = key;
      this.#values[to] = values[slot]!;
    });
  }
}

/** Whole numbers, one after another, 8 bytes each. */
export class NumberList {
  #numbers = new Float64Array(1024);
  length = 0;

  at(index: number): number {
    return this.#numbers[index]!;
  }

  push(value: number): void {
    if (this.length === this.#numbers.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = value;
    this.length += 1;
  }

  /** Of an ascending list from `from` on: the first place whose number is above `value`. */
  firstAbove(value: number, from: number): number {
    let low = from;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#numbers[middle]! > value) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  view(): Float64Array {
    return this.#numbers.subarray(0, this.length);
  }
}
