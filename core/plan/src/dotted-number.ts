/** The numbers at the beginning of a version as engines and kernels write it: 5.10.0-21-amd64 is 5, 10, 0. Undefined when it begins with none. */
export function parseDotted(text: string): readonly number[] | undefined {
  const match = /^v?(\d{1,9}(?:\.\d{1,9}){0,9})/.exec(text);
  return match?.[1]?.split(".").map(Number);
}

/** Less than 0 when `a` comes before `b`. What is not said counts as 0. */
export function compareDotted(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
