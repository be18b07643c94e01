import fc from "fast-check";
import { expect, test } from "vitest";
import { median, runBench } from "./bench.ts";
import { parseUsage } from "./measure-process.ts";
import { renderTable } from "./render-table.ts";

test("methods run interleaved, each round in another order, and medians come back", async () => {
  const order: string[] = [];
  const walls = { ours: [3, 1, 2], theirs: [9, 9, 3] };
  const method = (name: keyof typeof walls) => async () => {
    order.push(name);
    return { wallSeconds: walls[name].shift() ?? 0 };
  };
  const methods = { ours: method("ours"), theirs: method("theirs") };
  const rows = await runBench([{ name: "all", methods }], { runs: 3, onRun: () => undefined });
  expect(order).toEqual(["ours", "theirs", "theirs", "ours", "ours", "theirs"]);
  expect(rows).toEqual([
    { set: "all", method: "ours", wallSeconds: 2 },
    { set: "all", method: "theirs", wallSeconds: 9 },
  ]);
});

test("as many values lie above the median as below", () => {
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(values, (list) => {
      const middle = median(list);
      const below = list.filter((value) => value < middle).length;
      const above = list.filter((value) => value > middle).length;
      return below <= list.length / 2 && above <= list.length / 2;
    }),
  );
});

test("the last line of GNU time is read, whatever it says before", () => {
  const text = "Command exited with non-zero status 1\n0.25 0.50 2048\n";
  expect(parseUsage(text)).toEqual({ cpuSeconds: 0.75, peakRssBytes: 2_097_152 });
  expect(() => parseUsage("")).toThrow("GNU time wrote");
});

test("the table leaves out what nothing fills and puts figures to the right", () => {
  const rows = [
    { set: "books", method: "ours", sizeBytes: 1_500_000, wallSeconds: 1.234 },
    { set: "books", method: "zstd", sizeBytes: 21_000_000 },
  ];
  expect(renderTable(rows)).toBe(
    ["set    method     size    wall", "books  ours     1.5 MB  1.23 s", "books  zstd    21.0 MB"].join("\n"),
  );
});

test("what one of many takes is told, and what is quick in milliseconds", () => {
  const rows = [
    { set: "ten", method: "ours", wallSeconds: 0.0213, heapBytes: 250_000, items: 10 },
    { set: "many", method: "ours", wallSeconds: 0.17, heapBytes: 25_000_000, items: 1000 },
  ];
  expect(renderTable(rows)).toBe(
    [
      "set   method     wall     heap  wall each  heap each",
      "ten   ours    21.3 ms   0.3 MB   2.130 ms    25.0 kB",
      "many  ours     0.17 s  25.0 MB   0.170 ms    25.0 kB",
    ].join("\n"),
  );
});
