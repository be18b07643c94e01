export { readConfig, type ServerConfig } from "./config.ts";
export { serverProblems } from "./http/problems.ts";
export { type RunningServer, startServer } from "./server.ts";
