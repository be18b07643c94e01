export { freePort } from "./bookshop.ts";
export { bookshop, type Cargo } from "./cargo.ts";
export { askEngineForText, emptyEngine, imagesOf } from "./engine-api.ts";
export type { Place } from "./place.ts";
export type { SampanServer } from "./sampan-server.ts";
export { TwoSides } from "./two-sides.ts";
