import type { InstanceState, ObservedInstance } from "@sampan/plan";
import type { EngineContainer } from "./engine-types.ts";
import { hideSecrets, type InstanceLabels } from "./labels.ts";
import type { Prober } from "./prober.ts";

export interface SeenInstance extends ObservedInstance {
  readonly container: EngineContainer;
}

/** One container as an instance of its component; the probes say how a running one is. */
export async function observeInstance(
  prober: Prober,
  container: EngineContainer,
  labels: InstanceLabels,
  signal: AbortSignal | undefined,
): Promise<ObservedInstance> {
  const { State } = container;
  const verdict =
    State.Status === "running" ? await prober.verdict(container, labels, signal) : judgeStopped(container);
  const started = Date.parse(State.StartedAt) > 0;
  return {
    id: container.Id,
    component: labels.component,
    index: labels.index,
    generation: labels.generation,
    specDigest: labels.specDigest,
    imageId: labels.imageId,
    state: verdict.state,
    serving: isServing(container, labels.component),
    restarts: prober.restarts(container),
    ...(State.Running || !started ? {} : { exitCode: State.ExitCode }),
    ...(started ? { startedAt: State.StartedAt } : {}),
    ...(verdict.message === undefined ? {} : { message: hideSecrets(verdict.message, container.Config) }),
    hostPorts: labels.ports.flatMap(({ name, key }) => {
      const hostPort = Number(container.NetworkSettings.Ports?.[key]?.[0]?.HostPort);
      return hostPort > 0 ? [{ name, hostPort }] : [];
    }),
  };
}

/** Whether it answers to its component's name in the app's network. */
export function isServing(container: EngineContainer, component: string): boolean {
  return Object.values(container.NetworkSettings.Networks ?? {}).some(
    ({ Aliases }) => Aliases?.includes(component) === true,
  );
}

/**
 * What a container that does not run is. The engine does not tell whether a stop was asked for; but one that it would
 * otherwise restart, and does not, was stopped by somebody.
 */
export function judgeStopped(container: EngineContainer): {
  readonly state: InstanceState;
  readonly message?: string;
} {
  const { Status, ExitCode, OOMKilled } = container.State;
  const error = container.State.Error ?? "";
  const ended = OOMKilled === true ? "it ran out of memory" : `it ended with exit code ${ExitCode}`;
  const policy = container.HostConfig.RestartPolicy?.Name ?? "";
  switch (Status) {
    case "created":
      return { state: "starting", message: error === "" ? "it was made and has not started" : error };
    case "restarting":
      return { state: "failing", message: `${ended}; the engine restarts it` };
    case "paused":
      return { state: "unready", message: "it is paused" };
    case "exited":
      if (error !== "" && ExitCode !== 0) return { state: "failing", message: error };
      if (policy === "unless-stopped" || policy === "always")
        return { state: "stopped", message: "it was stopped" };
      if (ExitCode === 0) return { state: "completed" };
      return policy === "on-failure"
        ? { state: "stopped", message: "it was stopped" }
        : { state: "failing", message: ended };
    default:
      return { state: "failing", message: `the engine says it is ${Status}` };
  }
}
