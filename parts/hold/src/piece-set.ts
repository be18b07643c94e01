/** A set of piece numbers, one bit each: two million pieces are 250 KB. */
export class PieceSet {
  #bits = new Uint8Array(1024);
  size = 0;

  has(piece: number): boolean {
    return ((this.#bits[piece >> 3] ?? 0) & (1 << (piece & 7))) !== 0;
  }

  /** Keeps what the other has too. */
  intersect(other: PieceSet): void {
    this.size = 0;
    for (let at = 0; at < this.#bits.length; at += 1) {
      this.#bits[at]! &= other.#bits[at] ?? 0;
      for (let bits = this.#bits[at]!; bits > 0; bits &= bits - 1) this.size += 1;
    }
  }

  /** True when it was not in it before. */
  add(piece: number): boolean {
    if (this.has(piece)) return false;
    const at = piece >> 3;
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(this.#bits.length * 2, at + 1));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[at]! |= 1 << (piece & 7);
    this.size += 1;
    return true;
  }
}
