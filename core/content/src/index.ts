export type {
  ByteRange,
  Bytes,
  CargoBase,
  CargoMeasure,
  CargoSink,
  CargoSource,
  ContentStore,
  IncrementMeasure,
  LayerNews,
  OnProgress,
  PackFile,
  PackingOptions,
  Progress,
  RecipeFile,
} from "./content-store.ts";
export { type Descriptor, type HeldImage, MEDIA_TYPE } from "./descriptor.ts";
export { type Digest, digestFromHex, digestHex, isDigest, shortDigest } from "./digest.ts";
export { contentProblem, contentProblems } from "./problems.ts";
