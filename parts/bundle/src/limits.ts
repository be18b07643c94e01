const KIB = 1024;
const MIB = 1024 * KIB;

/** SPEC.md section 7, in bytes or counts. */
export const LIMIT = {
  documentBytes: 8 * MIB,
  envelopeBytes: 12 * MIB,
  manifestBytes: 4 * MIB,
  indexBytes: 16 * MIB,
  entries: 24_000,
  packBytes: 32 * MIB,
  /** No source fills a pack with more raw bytes than this. */
  packRawBytes: 16 * MIB,
  recipeBytes: 64 * MIB,
  blobBytes: 64 * MIB,
  configBytes: 4 * MIB,
  releaseBytes: 4 * MIB,
  releases: 64,
  images: 4096,
  layersOfImage: 512,
  bases: 64,
  volumes: 1024,
  repairRequestChars: 256 * KIB,
  signatures: 16,
  textChars: 256,
} as const;
