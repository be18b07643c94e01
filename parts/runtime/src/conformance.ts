import type { Digest } from "@sampan/content";
import { afterAll, beforeAll, describe } from "vitest";
import { imageRules } from "./conformance-images.ts";
import { insideRules } from "./conformance-inside.ts";
import { lifeRules } from "./conformance-life.ts";
import { outsideRules } from "./conformance-outside.ts";
import { probeRules } from "./conformance-probes.ts";
import { readingRules } from "./conformance-reading.ts";
import { volumeRules } from "./conformance-volumes.ts";
import type { Driver } from "./driver.ts";

/** An image that holds the executable `/role`; see {@link describeDriver}. */
export interface RoleImage {
  readonly id: Digest;
  readonly name: string;
}

/** What the suite is given of one kind of driver. */
export interface ConformanceHarness {
  readonly driver: Driver;
  /** A second driver on the same engine, as after a restart of the server. The suite closes it. */
  reopen(): Promise<Driver>;
  /** A driver whose engine does not answer. The suite closes it. */
  unreachable(): Promise<Driver>;
  readonly images: {
    /** In the engine. */
    readonly role: RoleImage;
    /** In the engine, with the same content and another ID. */
    readonly other: RoleImage;
    /** Not in the engine; the image source has it. It is fetched once, at the end. */
    readonly pullable: RoleImage;
    /** Not in the engine; the source has it, made for another architecture. */
    readonly foreign: RoleImage;
    /** Nobody has it. */
    readonly absent: RoleImage;
  };
  /** A port of the engine's machine that nothing uses. */
  freePort(): Promise<number>;
  /** Takes a port of the machine with something that is not Sampan's, until the returned function is called. */
  takePort(port: number): Promise<() => Promise<void>>;
  /** Waits, in the driver's time. */
  sleep(ms: number): Promise<void>;
  /** What the engine holds of an app, in words: instances, networks, volumes. */
  remains(appId: string): Promise<readonly string[]>;
  /** The one thing that no step does. */
  removeVolumes(appId: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The rules that every driver keeps. The harness supplies one program, `/role`, in its images; memory scripts it (`roleProgram`).
 *
 * As main process, `/role WORD`; all end at once when they are asked to stop:
 *
 *     serve [MS]        writes "serving" to stdout; after MS milliseconds listens at 8080 for HTTP: `/` answers 200 and the value
 *                       of TAG, `/ready` answers 200, or 4xx while it is sick
 *     idle              runs, listens nowhere
 *     crash [CODE]      writes "crashing" to stderr, ends with CODE (3)
 *     end [CODE]        writes "done" to stdout, ends with CODE (0)
 *     lines N           writes "line 1" to "line N" to stdout, then "to stderr" to stderr, and runs on
 *
 * In a running container, `/role WORD`; 1 is the exit code when it cannot:
 *
 *     get URL           writes the body that a GET answers with 200
 *     env NAME          writes the variable's value
 *     cat PATH          writes the file's text
 *     mode PATH         writes the file's mode, such as 0640
 *     write PATH TEXT   makes or replaces the file
 *     exit CODE         ends with CODE
 *     both              writes "out" to stdout and "err" to stderr
 *     spew N            writes N times "x"
 *     hang              never ends
 *     input             reads stdin to its end, writes "end of input"
 *     sick, well        makes `/ready` of this container fail, and pass again
 */
export function describeDriver(
  name: string,
  makeHarness: () => Promise<ConformanceHarness>,
  options: { readonly testTimeoutMs?: number } = {},
): void {
  describe(`driver: ${name}`, { timeout: options.testTimeoutMs ?? 5_000 }, () => {
    let harness: ConformanceHarness | undefined;
    beforeAll(async () => {
      harness = await makeHarness();
    }, 300_000);
    afterAll(() => harness?.close(), 60_000);
    const given = () => {
      if (harness === undefined) throw new Error("the harness was not made");
      return harness;
    };
    lifeRules(given);
    probeRules(given);
    outsideRules(given);
    insideRules(given);
    readingRules(given);
    volumeRules(given);
    imageRules(given);
  });
}
