import { expect, test } from "vitest";
import type { EngineContainer } from "./engine-types.ts";
import { isServing, judgeStopped } from "./observe-instance.ts";

function container(state: Partial<EngineContainer["State"]>, policy = "unless-stopped"): EngineContainer {
  return {
    Id: "c1",
    Name: "/c1",
    Image: "sha256:x",
    RestartCount: 0,
    State: {
      Status: "exited",
      Running: false,
      Restarting: false,
      ExitCode: 0,
      StartedAt: "2026-01-01T00:00:00Z",
      FinishedAt: "2026-01-01T00:00:01Z",
      ...state,
    },
    Config: {},
    HostConfig: { RestartPolicy: { Name: policy } },
    NetworkSettings: { Networks: { net: { Aliases: ["web", "web-1", "0123456789ab"] } } },
  };
}

test.each([
  [{ Status: "created" }, "no", "starting"],
  [{ Status: "created", Error: "no such file" }, "no", "starting"],
  [{ Status: "restarting", ExitCode: 7 }, "unless-stopped", "failing"],
  [{ Status: "paused" }, "no", "unready"],
  [{ Status: "dead" }, "no", "failing"],
  [{ ExitCode: 0 }, "no", "completed"],
  [{ ExitCode: 3 }, "no", "failing"],
  [{ ExitCode: 137, OOMKilled: true }, "no", "failing"],
  [{ ExitCode: 0 }, "on-failure", "completed"],
  [{ ExitCode: 143 }, "on-failure", "stopped"],
  [{ ExitCode: 0 }, "unless-stopped", "stopped"],
  [{ ExitCode: 137 }, "unless-stopped", "stopped"],
  [{ ExitCode: 128, Error: "mount failed" }, "unless-stopped", "failing"],
] as const)("%j with restart policy %s is %s", (state, policy, expected) => {
  expect(judgeStopped(container(state, policy)).state).toBe(expected);
});

test("why it does not run is told", () => {
  expect(judgeStopped(container({ ExitCode: 3 }, "no")).message).toContain("exit code 3");
  expect(judgeStopped(container({ ExitCode: 137, OOMKilled: true }, "no")).message).toContain("memory");
  expect(judgeStopped(container({ ExitCode: 1, Error: "mount failed" })).message).toBe("mount failed");
});

test("it serves when it answers to its component's name", () => {
  expect(isServing(container({}), "web")).toBe(true);
  expect(isServing(container({}), "db")).toBe(false);
  expect(isServing({ ...container({}), NetworkSettings: { Networks: null } }, "web")).toBe(false);
});
