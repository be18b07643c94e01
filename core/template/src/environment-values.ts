import type { AppBody } from "./app.ts";
import { type DeclaredVariable, environmentOf, referenceTarget } from "./environment.ts";
import { own } from "./faults.ts";
import { generatedKey } from "./generated-values.ts";
import type { Parameter, ParameterValue } from "./values.ts";
import { expandText } from "./variables.ts";

/** Linux passes no longer single string to a process. */
const VALUE_LENGTH_MAX = 128 * 1024 - 1;
const CHAIN_LENGTH_MAX = 100;

export interface EnvironmentSources {
  /** As `checkParameters` gives them. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** By key of `listGenerated`. */
  readonly generated: Readonly<Record<string, string>>;
  /** Called for each value that cannot be made, with its dotted path. Messages hold no value. */
  readonly fault: (path: string, message: string) => void;
}

export interface Environment {
  /** Sorted by key. A parameter that nobody answered leaves its variable out; a reference to that is empty. */
  readonly env: Readonly<Record<string, string>>;
  /** What `${NAME}` can stand for: `env`, and what the component offers to others. */
  readonly visible: Readonly<Record<string, string>>;
  /** Sorted keys of `env` whose values hold something secret, directly or through what they refer to. */
  readonly secretEnv: readonly string[];
}

interface Value {
  /** Undefined for a parameter that nobody answered. */
  readonly text: string | undefined;
  readonly isSecret: boolean;
}

const NOTHING: Value = { text: undefined, isSecret: false };

/** The finished environments of an app's components: references replaced, parameters, secrets and generated values put in. */
export class EnvironmentValues {
  readonly #app: AppBody;
  readonly #sources: EnvironmentSources;
  readonly #declared = new Map<string, ReadonlyMap<string, DeclaredVariable>>();
  readonly #byPlace = new Map<string, Value>();
  readonly #trail = new Set<string>();

  constructor(app: AppBody, sources: EnvironmentSources) {
    this.#app = app;
    this.#sources = sources;
  }

  of(component: string): Environment {
    const visible = [...this.#declaredBy(component)]
      .map(([name, variable]) => ({ name, variable, value: this.#valueOf(variable) }))
      .filter(({ value }) => value.text !== undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    // What a component offers is for others: MYSQL_HOST in a database's own environment would send its own tools astray.
    const injected = visible.filter(
      ({ variable }) => variable.component !== component || variable.place === "env",
    );
    const record = (entries: typeof visible) =>
      Object.fromEntries(entries.map(({ name, value }) => [name, value.text ?? ""]));
    return {
      env: record(injected),
      visible: record(visible),
      secretEnv: injected.flatMap(({ name, value }) => (value.isSecret ? [name] : [])),
    };
  }

  #declaredBy(component: string): ReadonlyMap<string, DeclaredVariable> {
    const known = this.#declared.get(component);
    if (known !== undefined) return known;
    const variables = environmentOf(this.#app.components, component);
    this.#declared.set(component, variables);
    return variables;
  }

  #valueOf(variable: DeclaredVariable): Value {
    const { value: plain } = variable;
    // Most values stand for themselves.
    if (typeof plain === "string" && plain.length <= VALUE_LENGTH_MAX && !plain.includes("$"))
      return { text: plain, isSecret: false };
    const place = generatedKey(variable);
    const known = this.#byPlace.get(place);
    if (known !== undefined) return known;
    if (this.#trail.has(place) || this.#trail.size > CHAIN_LENGTH_MAX) {
      const why = this.#trail.has(place)
        ? "refers to itself"
        : `refers through more than ${CHAIN_LENGTH_MAX} others`;
      this.#fault(variable, why);
      return NOTHING;
    }
    this.#trail.add(place);
    const value = this.#make(variable);
    this.#trail.delete(place);
    this.#byPlace.set(place, value);
    return value;
  }

  #make(variable: DeclaredVariable): Value {
    const { value } = variable;
    if (typeof value === "string") return this.#expand(variable, value);
    if ("secret" in value) return { text: value.secret, isSecret: true };
    if ("parameter" in value) {
      const answer = own(this.#sources.parameters, value.parameter);
      const definition: Parameter | undefined = own(this.#app.parameters, value.parameter);
      return {
        text: answer === undefined ? undefined : String(answer),
        isSecret: definition?.type === "password",
      };
    }
    const text = own(this.#sources.generated, generatedKey(variable));
    if (text === undefined) this.#fault(variable, "has not been generated yet");
    return { text, isSecret: true };
  }

  #expand(variable: DeclaredVariable, text: string): Value {
    let isSecret = false;
    const visible = this.#declaredBy(variable.component);
    const lookUp = (name: string) => {
      const target = referenceTarget(visible, { from: variable, name });
      if (target === undefined) {
        this.#fault(variable, `refers to \`${name}\`, which is not known here`);
        return undefined;
      }
      const value = this.#valueOf(target);
      isSecret ||= value.isSecret;
      return value.text;
    };
    const expanded = expandText(text, lookUp, VALUE_LENGTH_MAX);
    if (expanded === undefined)
      this.#fault(variable, "gets longer than 128 KiB when its variables are replaced");
    return { text: expanded, isSecret };
  }

  #fault({ component, place, name }: DeclaredVariable, message: string): void {
    this.#sources.fault(`components.${component}.${place}.${name}`, message);
  }
}
