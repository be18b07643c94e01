export { type Bundle, openBundle } from "./bundle.ts";
export type { BundleFile } from "./bundle-files.ts";
export type { ContentEntry } from "./content-entries.ts";
export {
  type BundleBase,
  type BundleBlob,
  type BundleDocument,
  type BundleImage,
  type BundleLayer,
  type BundlePack,
  type BundleRelease,
  type BundleVolume,
  FORMAT_VERSION,
  READER_LEVEL,
} from "./document.ts";
export {
  type Envelope,
  type EnvelopeSignature,
  parseEnvelope,
  preAuthEncoding,
  renderEnvelope,
  type SignatureReport,
  signEnvelope,
  verifyEnvelope,
} from "./envelope.ts";
export { type ImportedBundle, type ImportOptions, importBundle } from "./import-bundle.ts";
export { generateKeyPair, keyId, type Signer, signerOf } from "./keys.ts";
export type { PaceClock } from "./pace.ts";
export { type BundlePart, partName } from "./part.ts";
export type { PlacedEntry } from "./place-content.ts";
export { type Cargo, type CargoRelease, type ReleaseCargo, VOLUME_BYTES_MIN } from "./plan-bundle.ts";
export { type BundlePreview, previewBundle } from "./preview-bundle.ts";
export { bundleProblem, bundleProblems } from "./problems.ts";
export { type NeededRepair, repairRequest, writeRepair } from "./repair.ts";
export { parseRepairRequest, type RepairRequest, renderRepairRequest } from "./repair-request.ts";
export type { Unproven } from "./require-base.ts";
export { requireTrust, type Trust, verifySignatures } from "./trust.ts";
export { type VerifyOptions, verifyBundle } from "./verify-bundle.ts";
export { type WriteOptions, type WrittenBundle, writeBundle } from "./write-bundle.ts";
