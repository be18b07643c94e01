import { expect, test } from "vitest";
import { checkText, type PreflightRow as Row } from "./preflight-samples.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const AMOUNTS: readonly [string, string, Row, string][] = [
  ["cpu", "nothing asked for", {}, "pass: 4 cores, 3 cores left beside other apps | nothing in particular"],
  [
    "cpu",
    "declared, and as much as there is",
    { wanted: { cpu: { declared: 4, asked: 0 } }, facts: { reservedCpus: 0 } },
    "pass: 4 cores | 4 cores, as the app declares",
  ],
  [
    "cpu",
    "declared, and more than there is",
    { wanted: { cpu: { declared: 4.5, asked: 1 } } },
    "fail: 4 cores | 4.5 cores, as the app declares",
  ],
  [
    "cpu",
    "declared, and more than others leave",
    { wanted: { cpu: { declared: 3.5, asked: 1 } } },
    "warn: 4 cores, 3 cores left beside other apps | 3.5 cores, as the app declares",
  ],
  [
    "cpu",
    "components ask for more than there is",
    { wanted: { cpu: { asked: 5 } } },
    "warn: 4 cores | 5 cores, as its components ask for",
  ],
  [
    "cpu",
    "components ask for more than others leave",
    { wanted: { cpu: { declared: 1, asked: 3.25 } } },
    "warn: 4 cores, 3 cores left beside other apps | 3.25 cores, as its components ask for",
  ],
  [
    "cpu",
    "others ask for more than there is",
    { wanted: { cpu: { asked: 0.5 } }, facts: { reservedCpus: 9 } },
    "warn: 4 cores, 0 cores left beside other apps | 0.5 cores, as its components ask for",
  ],
  [
    "cpu",
    "not known",
    { wanted: { cpu: { asked: 1 } }, facts: { cpus: 0 } },
    "warn: not known | 1 core, as its components ask for",
  ],
  [
    "cpu",
    "not a number",
    { wanted: { cpu: { asked: 1 } }, facts: { cpus: Number.NaN } },
    "warn: not known | 1 core, as its components ask for",
  ],
  [
    "cpu",
    "not known, and nothing asked for",
    { facts: { cpus: 0 } },
    "pass: not known | nothing in particular",
  ],
  ["memory", "nothing asked for", {}, "pass: 8 GiB, 7 GiB left beside other apps | nothing in particular"],
  [
    "memory",
    "enough",
    { wanted: { memoryBytes: { asked: 512 * MIB } } },
    "pass: 8 GiB, 7 GiB left beside other apps | 512 MiB, as its components ask for",
  ],
  [
    "memory",
    "all there is",
    {
      wanted: { memoryBytes: { declared: 8 * GIB, asked: 0 } },
      facts: { reservedMemoryBytes: undefined, memoryAvailableBytes: undefined },
    },
    "pass: 8 GiB | 8 GiB, as the app declares",
  ],
  [
    "memory",
    "declared, and more than there is",
    { wanted: { memoryBytes: { declared: 16 * GIB, asked: GIB } } },
    "fail: 8 GiB | 16 GiB, as the app declares",
  ],
  [
    "memory",
    "components ask for more than there is",
    { wanted: { memoryBytes: { declared: GIB, asked: 8.5 * GIB } } },
    "fail: 8 GiB | 8.5 GiB, as its components ask for",
  ],
  [
    "memory",
    "more than others leave",
    { wanted: { memoryBytes: { asked: 7.5 * GIB } } },
    "warn: 8 GiB, 7 GiB left beside other apps | 7.5 GiB, as its components ask for",
  ],
  [
    "memory",
    "more than is free now",
    { wanted: { memoryBytes: { asked: 6.5 * GIB } } },
    "warn: 8 GiB, 6 GiB free now | 6.5 GiB, as its components ask for",
  ],
  [
    "memory",
    "nothing is free now",
    { wanted: { memoryBytes: { asked: 1 } }, facts: { memoryAvailableBytes: 0 } },
    "warn: 8 GiB, 0 B free now | 1 B, as its components ask for",
  ],
  [
    "memory",
    "not known",
    { wanted: { memoryBytes: { asked: 1 } }, facts: { memoryBytes: 0 } },
    "warn: not known | 1 B, as its components ask for",
  ],
];

const disk = (dataBytes: number, imageBytes: number, unknownImages: readonly string[] = []) => ({
  disk: { dataBytes, imageBytes, unknownImages },
});

const DISK: readonly [string, string, Row, string][] = [
  ["disk", "nothing more", {}, "pass: 100 GiB free | nothing more"],
  [
    "disk",
    "nothing more, and not known",
    { facts: { diskFreeBytes: undefined } },
    "pass: not known | nothing more",
  ],
  [
    "disk",
    "enough",
    { wanted: disk(20 * GIB, GIB) },
    "pass: 100 GiB free | 20 GiB for data, 1 GiB for images",
  ],
  ["disk", "a tenth is left", { wanted: disk(90 * GIB, 0) }, "pass: 100 GiB free | 90 GiB for data"],
  [
    "disk",
    "less than a tenth is left",
    { wanted: disk(90 * GIB, GIB) },
    "warn: 100 GiB free | 90 GiB for data, 1 GiB for images",
  ],
  ["disk", "too little", { wanted: disk(0, 101 * GIB) }, "fail: 100 GiB free | 101 GiB for images"],
  [
    "disk",
    "nothing is free",
    { wanted: disk(0, 1), facts: { diskFreeBytes: 0 } },
    "fail: 0 B free | 1 B for images",
  ],
  [
    "disk",
    "not known",
    { wanted: disk(1, 0), facts: { diskFreeBytes: undefined } },
    "warn: not known | 1 B for data",
  ],
  [
    "disk",
    "images of unknown size",
    { wanted: disk(0, 0, ["a", "b", "c", "d"]) },
    "warn: 100 GiB free | room for a, b, c and 1 more, of unknown size",
  ],
  ["snapshot", "no data is captured", {}, "absent"],
  [
    "snapshot",
    "enough",
    { wanted: { capture: { sizeBytes: GIB } } },
    "pass: 50 GiB free | 1 GiB, as measured last",
  ],
  [
    "snapshot",
    "too little, were all of it new; what has not changed is held already",
    { wanted: { capture: { sizeBytes: 60 * GIB } } },
    "warn: 50 GiB free | 60 GiB, as measured last",
  ],
  [
    "snapshot",
    "too little even for a few changes",
    { wanted: { capture: { sizeBytes: 501 * GIB } } },
    "fail: 50 GiB free | 501 GiB, as measured last",
  ],
  [
    "snapshot",
    "data of unknown size",
    { wanted: { capture: {} } },
    "warn: 50 GiB free | as much as the data takes",
  ],
  [
    "snapshot",
    "no data, and unknown space",
    { wanted: { capture: { sizeBytes: 0 } }, facts: { holdFreeBytes: undefined } },
    "warn: not known | 0 B, as measured last",
  ],
];

test.each([...AMOUNTS, ...DISK])("%s: %s", (id, _, row, text) => {
  expect(checkText(id, row)).toBe(text);
});
