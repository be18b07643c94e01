export { IMAGES as IMAGES_REPOSITORY } from "./names.ts";
export { registryProblem, registryProblems } from "./problems.ts";
export type { Authorize, RegistryAccess, Verdict } from "./registry-context.ts";
export { type RegistryOptions, registryRoutes } from "./registry-routes.ts";
