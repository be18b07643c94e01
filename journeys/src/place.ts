/** One side of the gap: an engine, and a network in which its Sampan and its people are. */
export interface Place {
  readonly name: "vendor" | "site";
  /** `unix:///…`; a file system has no walls between the two, so it is the network that must have. */
  readonly dockerHost: string;
  /** The words that run a command in the network of this place. */
  command(words: readonly string[]): readonly string[];
  /** Asks over HTTP as somebody in the network of this place. */
  readonly fetch: typeof globalThis.fetch;
}

/** The vendor's side: this machine, as it is. */
export function vendorPlace(dockerHost: string): Place {
  return { name: "vendor", dockerHost, command: (words) => words, fetch: globalThis.fetch };
}

/** The engine of this machine: DOCKER_HOST, or the usual socket. */
export function machineEngine(): string {
  const named = process.env.DOCKER_HOST;
  const dockerHost = named === undefined || named === "" ? "unix:///var/run/docker.sock" : named;
  if (!dockerHost.startsWith("unix:///"))
    throw new Error(`the journeys need an engine on this machine, and DOCKER_HOST is ${dockerHost}`);
  return dockerHost;
}
