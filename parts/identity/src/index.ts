export { LoginPace, type LoginSource } from "./login-pace.ts";
export { openWithPassphrase, sealWithPassphrase } from "./passphrase-seal.ts";
export { hashPassword, isOutdated, verifyPassword } from "./passwords.ts";
export { identityProblem, identityProblems } from "./problems.ts";
export { keyIdOf, type PublicKey, parsePublicKey, verifySignature } from "./public-key.ts";
export { openSealer, rotateMasterKey, type Sealer } from "./sealing.ts";
export { openSiteKey, type SiteKey } from "./site-key.ts";
export { hashToken, isToken, newToken } from "./tokens.ts";
