import type { AppBody } from "./app.ts";
import { splitText } from "./variables.ts";

/** A literal that would travel in clear. It never holds the value itself. */
export interface SuspectedSecret {
  /** Dotted, such as `components.db.env.ROOT_PASSWORD`. */
  readonly path: string;
  readonly why: string;
}

const SECRET_NAME =
  /(?:^|[_.-])(?:password|passwd|passphrase|pwd|pass|secret|token|apikey|api_key|access_key|private_key|secret_key|credentials?|key)(?:$|[_.-])/;
/** Names that hold `key` or `pass` and are no secrets. */
const PLAIN_NAME =
  /public_?key|key_?(?:file|path|id|name|prefix|length|size)|_file$|_path$|primary_key|foreign_key|expires|ttl|timeout|lifetime|policy/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;
const URL_WITH_PASSWORD = /\b[a-z][a-z0-9+.-]{0,30}:\/\/([^\s:/?#@"']{0,200}):([^\s/?#@"']{1,200})@/gi;
const KNOWN_TOKEN =
  /\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.)/;
/** `password = something` inside a file of any common form. */
const ASSIGNMENT = /^[\t ]*["']?([A-Za-z0-9_.-]{1,80})["']?[\t ]*[:=][\t ]*["']?([^\s"'#;,]{1,400})/gm;

const TRAVELS = "it is a secret, and would travel with the release as it is";

/** Whether a name and a literal look like a secret in clear. */
export function looksSecret(name: string, value: string): boolean {
  return reasonOf(name, value) !== undefined;
}

/**
 * Secrets with a fixed value, and literals in env, connection info, parameters, plugins, build arguments, commands and files that look like secrets and would be
 * published in clear, in the order of the app. It is a net with holes: it finds what is named or shaped like a secret.
 */
export function findSecrets(app: AppBody): SuspectedSecret[] {
  const found: SuspectedSecret[] = [];
  const look = (path: string, name: string, value: unknown) => {
    const isSecret = typeof value === "object" && value !== null && "secret" in value;
    const why = isSecret ? TRAVELS : typeof value === "string" ? reasonOf(name, value) : undefined;
    if (why !== undefined) found.push({ path, why });
  };
  const lookAll = (path: string, values: Readonly<Record<string, unknown>> | undefined) => {
    for (const [name, value] of Object.entries(values ?? {})) look(`${path}.${name}`, name, value);
  };
  for (const [name, parameter] of Object.entries(app.parameters ?? {})) {
    if (parameter.type === "string") look(`parameters.${name}.default`, name, parameter.default);
  }
  for (const [name, component] of Object.entries(app.components)) {
    const path = `components.${name}`;
    lookAll(`${path}.build.args`, component.build?.args);
    for (const list of ["command", "args"] as const)
      for (const [index, text] of (component[list] ?? []).entries())
        look(`${path}.${list}.${index}`, "", text);
    lookAll(`${path}.env`, component.env);
    for (const [file, { content, secret }] of Object.entries(component.files ?? {})) {
      const why = secret === true ? TRAVELS : reasonOfFile(content);
      if (why !== undefined) found.push({ path: `${path}.files.${file}`, why });
    }
    lookAll(`${path}.connection`, component.connection);
    for (const [binding, { config }] of Object.entries(component.plugins ?? {}))
      lookAll(`${path}.plugins.${binding}.config`, config);
  }
  for (const [name, { env }] of Object.entries(app.plugins ?? {})) lookAll(`plugins.${name}.env`, env);
  return found;
}

function reasonOf(name: string, value: string): string | undefined {
  if (!holdsLiteral(value)) return undefined;
  const shape = reasonOfShape(value);
  if (shape !== undefined) return shape;
  return hasSecretName(name) && !isHarmless(value) ? "its name says that it is a secret" : undefined;
}

function reasonOfShape(value: string): string | undefined {
  if (PRIVATE_KEY.test(value)) return "it holds a private key";
  for (const [, , password] of value.matchAll(URL_WITH_PASSWORD)) {
    if (password !== undefined && holdsLiteral(password)) return "it holds an address with a password";
  }
  return KNOWN_TOKEN.test(value) ? "it holds what looks like an access token" : undefined;
}

function reasonOfFile(content: string): string | undefined {
  const shape = reasonOfShape(content);
  if (shape !== undefined) return shape;
  for (const [, name = "", value = ""] of content.matchAll(ASSIGNMENT)) {
    if (hasSecretName(name) && holdsLiteral(value) && !isHarmless(value))
      return `it sets \`${name}\` to a literal`;
  }
  return undefined;
}

function hasSecretName(name: string): boolean {
  const plain = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
  const isNamed = SECRET_NAME.test(plain) || /(?:password|passwd|secret)$/.test(plain);
  return isNamed && !PLAIN_NAME.test(plain);
}

/** Something besides references to other variables. */
function holdsLiteral(value: string): boolean {
  return splitText(value).some((part) => part.kind !== "variable" && part.text.trim() !== "");
}

/** Switches and paths: `true`, `0`, `/run/secrets/key`. */
function isHarmless(value: string): boolean {
  return /^(?:true|false|yes|no|on|off|none|null|\d{1,2}|\/[\w./-]+)$/i.test(value.trim());
}
