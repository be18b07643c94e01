import { describeDriver } from "@sampan/runtime/conformance";
import { makeDockerHarness } from "./docker-harness.ts";

describeDriver("docker", makeDockerHarness, { testTimeoutMs: 120_000 });
