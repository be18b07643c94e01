import { type Digest, isDigest } from "@sampan/content";
import { runtimeProblem } from "@sampan/runtime";
import { type EngineClient, filters } from "./engine-client.ts";
import type {
  EngineContainer,
  EngineContainerSummary,
  EngineImage,
  EngineInfo,
  EngineLabels,
  EngineNetwork,
  EngineVersion,
  EngineVolume,
} from "./engine-types.ts";
import { LABEL, ownerFilter } from "./labels.ts";

/** What of the engine belongs to one Sampan site: everything is found by its labels, never by its name. */
export class EngineScope {
  readonly client: EngineClient;
  readonly site: string | undefined;
  #info: EngineInfo | undefined;

  constructor(client: EngineClient, site: string | undefined) {
    this.client = client;
    this.site = site;
  }

  /** All containers of an app, or of all apps; removed ones are left out. */
  async containers(
    app: string | undefined,
    signal?: AbortSignal,
  ): Promise<readonly EngineContainerSummary[]> {
    const all = await this.#listContainers(filters({ label: ownerFilter(this.site, app) }), signal);
    return all.filter((one) => one.State !== "removing" && LABEL.component in (one.Labels ?? {}));
  }

  /** Ids of the containers that only carry config files into a volume. */
  async carriers(app: string, signal?: AbortSignal): Promise<readonly string[]> {
    const label = [...ownerFilter(this.site, app), LABEL.files];
    const all = await this.#listContainers(filters({ label }), signal);
    return all.map(({ Id }) => Id);
  }

  /** Containers that only carry content of volumes. */
  async volumeCarriers(
    app: string | undefined,
    signal?: AbortSignal,
  ): Promise<readonly EngineContainerSummary[]> {
    return await this.#listContainers(
      filters({ label: [...ownerFilter(this.site, app), LABEL.carrier] }),
      signal,
    );
  }

  /** Containers of anybody that mount a volume, running or not. */
  async containersMounting(volume: string, signal?: AbortSignal): Promise<readonly EngineContainerSummary[]> {
    return await this.#listContainers(filters({ volume: [volume] }), signal);
  }

  /** Containers of anybody. */
  async everyContainer(signal?: AbortSignal): Promise<readonly EngineContainerSummary[]> {
    return await this.#listContainers("{}", signal);
  }

  async volumes(app: string | undefined, signal?: AbortSignal): Promise<readonly EngineVolume[]> {
    const { body } = await this.client.call<{ readonly Volumes?: readonly EngineVolume[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: filters({ label: ownerFilter(this.site, app) }) },
      what: "list volumes",
      signal,
    });
    return body.Volumes ?? [];
  }

  async networks(app: string | undefined, signal?: AbortSignal): Promise<readonly EngineNetwork[]> {
    const { body } = await this.client.call<readonly EngineNetwork[]>({
      method: "GET",
      path: "/networks",
      query: { filters: filters({ label: ownerFilter(this.site, app) }) },
      what: "list networks",
      signal,
    });
    return body;
  }

  async network(app: string, signal?: AbortSignal): Promise<EngineNetwork | undefined> {
    const found = await this.networks(app, signal);
    return found[0];
  }

  async inspect(id: string, signal?: AbortSignal): Promise<EngineContainer | undefined> {
    const { status, body } = await this.client.call<EngineContainer>({
      method: "GET",
      path: `/containers/${encodeURIComponent(id)}/json`,
      what: "look at a container",
      accept: [404],
      signal,
    });
    return status === 404 ? undefined : body;
  }

  /** A container that must be there and belong to the app. Throws RUNTIME_ABSENT. */
  async instance(
    ref: { readonly app: string; readonly component: string; readonly id: string },
    signal?: AbortSignal,
  ): Promise<EngineContainer> {
    const container = await this.inspect(ref.id, signal);
    if (container !== undefined && this.owns(container.Config.Labels, ref.app)) return container;
    throw runtimeProblem("RUNTIME_ABSENT", `the instance of ${ref.component} does not exist any more`, {
      why: `the engine has no container ${ref.id.slice(0, 12)} of this app`,
      hint: "Look again: it may have been replaced.",
    });
  }

  /** The image that the engine has under a name or image ID. Throws RUNTIME_REFUSED for an image store that is not supported. */
  async image(reference: string, signal?: AbortSignal): Promise<EngineImage | undefined> {
    await this.#refuseContainerdStore(signal);
    const { status, body } = await this.client.call<EngineImage>({
      method: "GET",
      path: `/images/${imagePath(reference)}/json`,
      what: `look at image ${reference}`,
      accept: [404],
      signal,
    });
    return status === 404 ? undefined : body;
  }

  /** The image with exactly this image ID. */
  async imageById(imageId: Digest, signal?: AbortSignal): Promise<EngineImage | undefined> {
    const image = await this.image(imageId, signal);
    return image !== undefined && isDigest(image.Id) && image.Id === imageId ? image : undefined;
  }

  async info(signal?: AbortSignal): Promise<EngineInfo> {
    const { body } = await this.client.call<EngineInfo>({
      method: "GET",
      path: "/info",
      what: "describe itself",
      signal,
    });
    this.#info = body;
    return body;
  }

  /** What of `info` does not change while the engine runs; asked once. */
  async knownInfo(signal?: AbortSignal): Promise<EngineInfo> {
    return this.#info ?? (await this.info(signal));
  }

  async version(signal?: AbortSignal): Promise<EngineVersion> {
    const { body } = await this.client.call<EngineVersion>({
      method: "GET",
      path: "/version",
      what: "tell its version",
      signal,
    });
    return body;
  }

  async #listContainers(
    selection: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly EngineContainerSummary[]> {
    const { body } = await this.client.call<readonly EngineContainerSummary[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: selection },
      what: "list containers",
      signal,
    });
    return body;
  }

  /** That store names images by the digests of manifests, which are not the same everywhere; image IDs are. */
  async #refuseContainerdStore(signal: AbortSignal | undefined): Promise<void> {
    const isContainerd = ({ DriverStatus }: EngineInfo) =>
      DriverStatus?.some(([, value]) => value.startsWith("io.containerd.snapshotter")) === true;
    // What was known is asked again before it is held against the engine: it may have been changed since.
    if (!isContainerd(await this.knownInfo(signal)) || !isContainerd(await this.info(signal))) return;
    throw runtimeProblem("RUNTIME_REFUSED", "the engine keeps images in the containerd image store", {
      why: "images have other identities there than elsewhere, so that Sampan cannot tell whether one is the right one",
      hint: 'Put { "features": { "containerd-snapshotter": false } } into /etc/docker/daemon.json and restart the engine.',
    });
  }

  owns(labels: EngineLabels | null | undefined, app: string): boolean {
    return labels?.[LABEL.app] === app && (this.site === undefined || labels[LABEL.site] === this.site);
  }
}

/** An image name in a path: its slashes stay, which both engines understand. */
export function imagePath(reference: string): string {
  return encodeURIComponent(reference).replaceAll("%2F", "/").replaceAll("%3A", ":");
}
