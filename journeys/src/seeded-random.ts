/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** SEED of the environment, or a new one. */
export function chooseSeed(): number {
  const text = process.env.SEED;
  if (text === undefined || text === "") return Date.now() % 2 ** 31;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`SEED is ${text}: give a number`);
  return Number(text);
}
