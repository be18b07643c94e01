export {
  type AcceptanceCheck,
  API_VERSION,
  type App,
  type AppBody,
  app,
  type ModuleSet,
  type Plugin,
  type Preflight,
  type Route,
} from "./app.ts";
export { canonicalText } from "./canonical-text.ts";
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
export { type CronLine, parseCronLine } from "./cron-line.ts";
export { type DeclaredVariable, environmentOf } from "./environment.ts";
export { type Environment, type EnvironmentSources, EnvironmentValues } from "./environment-values.ts";
export { findSecrets, type SuspectedSecret } from "./find-secrets.ts";
export { type GeneratedRule, generatedKey, listGenerated, makeGenerated } from "./generated-values.ts";
export { appJsonSchema } from "./json-schema.ts";
export { type ModuleChoice, type ModuleSelection, selectModules } from "./module-choice.ts";
export { askedParameters, checkParameters, type ParameterAnswers } from "./parameter-answers.ts";
export { type ParameterField, type ParameterForm, parameterForm } from "./parameter-form.ts";
export { type Parsed, parseApp, parseAppValue, parseRelease, parseReleaseValue } from "./parse.ts";
export { durationMs, sizeBytes } from "./primitives.ts";
export { answersProblem, appProblem, templateProblem, templateProblems } from "./problems.ts";
export { applyPublishChoices, type PublishChoice, type PublishChoices } from "./publish-choices.ts";
export { type Release, release, type Template, template } from "./release.ts";
export {
  assignComponentIds,
  type ReleaseResult,
  type ReleaseWish,
  releaseOf,
  releaseText,
} from "./release-of.ts";
export { renderApp, renderRelease } from "./render.ts";
export { type EnvValue, type Parameter, type ParameterValue, parameter } from "./values.ts";
export { EXPANDED_LENGTH_MAX, expandText, quoteText, variablesIn } from "./variables.ts";
export { compareVersions, suggestNextVersion } from "./version-order.ts";
