const LINES_MAX = 2000;
const CONTEXT = 1;

/** Lines that differ between two texts, marked `-` and `+`, each with a line around it; `…` where lines are left out. */
export function diffLines(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  if (a.length > LINES_MAX || b.length > LINES_MAX) return [`${a.length} lines, now ${b.length}`];
  const marked = markLines(a, b);
  const near = marked.map((_, at) =>
    marked.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some((line) => line[0] !== " "),
  );
  return marked.flatMap((line, at) => (near[at] ? [line] : near[at - 1] === true ? ["…"] : []));
}

/** The longest common subsequence, by the textbook table; equal ends are set aside first. */
function markLines(a: readonly string[], b: readonly string[]): readonly string[] {
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const lengths = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      lengths[i]![j] =
        x[i] === y[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
  const marked = a.slice(0, start).map((line) => `  ${line}`);
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      marked.push(`  ${x[i++]}`);
      j++;
    } else if (j >= y.length || (i < x.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!))
      marked.push(`- ${x[i++]}`);
    else marked.push(`+ ${y[j++]}`);
  }
  return [...marked, ...a.slice(a.length - end).map((line) => `  ${line}`)];
}
