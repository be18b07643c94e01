export {
  type AcceptanceCheck,
  API_VERSION,
  type App,
  app,
  type ModuleSet,
  type Plugin,
  type Preflight,
  type Route,
} from "./app.ts";
export {
  type Component,
  type ComponentPort,
  type ConfigFile,
  component,
  type PinnedImage,
  type Probe,
  type Resources,
  type Security,
  type Volume,
} from "./component.ts";
export { type Parsed, parseApp, parseAppValue, parseRelease, parseReleaseValue } from "./parse.ts";
export { durationMs, sizeBytes } from "./primitives.ts";
export { answersProblem, appProblem, templateProblem, templateProblems } from "./problems.ts";
export { type Release, release, type Template, template } from "./release.ts";
export { type EnvValue, type Parameter, type ParameterValue, parameter } from "./values.ts";
