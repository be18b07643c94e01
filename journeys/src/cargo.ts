import { type BookshopVersion, bookshopImages, bookshopText, buildBookshop } from "./bookshop.ts";

/** An app in two versions, as the stories that do not look into it need to know it. */
export interface Cargo {
  readonly name: string;
  readonly versions: readonly [string, string];
  /** By component; of the version that has them all. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly volumes: number;
  /** Makes the images that are absent. */
  build(dockerHost: string): Promise<void>;
  /** The path of its app.yaml; one that is made is made in the folder. */
  text(version: string, folder: string): Promise<string>;
  /** Image IDs by component, where the images were built. */
  images(dockerHost: string, version: string): Promise<Readonly<Record<string, string>>>;
}

export const bookshop: Cargo = {
  name: "bookshop",
  versions: ["2.9", "3.0"],
  replicas: { catalog: 2, mariadb: 1, orders: 1, recommend: 1, redis: 1, search: 1, web: 1 },
  volumes: 2,
  async build(dockerHost) {
    await buildBookshop(dockerHost);
  },
  text: async (version) => bookshopText(version as BookshopVersion),
  images: (dockerHost, version) => bookshopImages(dockerHost, version as BookshopVersion),
};
