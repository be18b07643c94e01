export {
  describeAddress,
  type EngineAddress,
  type EngineTls,
  findEngine,
  parseEngineAddress,
} from "./find-engine.ts";
export { type DockerDriver, type DockerOptions, openDocker } from "./open-docker.ts";
