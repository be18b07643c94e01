import type { Fault } from "@sampan/problem";
import type { AppBody, ModuleSet } from "./app.ts";
import { own } from "./faults.ts";
import { nearest } from "./nearest.ts";

/** What a site said about modules; the others are as their default says. */
export interface ModuleChoice {
  readonly on: readonly string[];
  readonly off: readonly string[];
}

export interface ModuleSelection {
  /** Modules that are on, in the order of the app. */
  readonly on: readonly string[];
  /** Components that are on, in the order of the app: those of modules that are on, and those that are in no module. */
  readonly components: readonly string[];
  /** Modules that nobody chose and that are on nevertheless, with the reason as the end of a sentence. */
  readonly pulledIn: readonly { readonly name: string; readonly because: string }[];
  /** With paths `modules.NAME`. */
  readonly faults: readonly Fault[];
}

/** Works out what is on: defaults, the choice, what modules require, what components need, and what conflicts. */
export function selectModules(app: AppBody, choice: ModuleChoice): ModuleSelection {
  return new Selection(app, choice).run();
}

class Selection {
  readonly #app: AppBody;
  readonly #modules: Readonly<Record<string, ModuleSet>>;
  readonly #choice: ModuleChoice;
  readonly #on = new Set<string>();
  readonly #pulledIn: { name: string; because: string }[] = [];
  readonly #faults = new Map<string, Fault>();

  constructor(app: AppBody, choice: ModuleChoice) {
    this.#app = app;
    this.#modules = app.modules ?? {};
    this.#choice = choice;
  }

  run(): ModuleSelection {
    this.#checkChoice();
    for (const [name, module] of Object.entries(this.#modules)) {
      const isDefault = module.default !== false && !this.#choice.off.includes(name);
      if (isDefault || this.#choice.on.includes(name)) this.#on.add(name);
    }
    while (this.#pullRequired() || this.#pullNeeded());
    this.#checkConflicts();
    return {
      on: Object.keys(this.#modules).filter((name) => this.#on.has(name)),
      components: this.#components(),
      pulledIn: this.#pulledIn,
      faults: [...this.#faults.values()],
    };
  }

  #checkChoice(): void {
    const known = Object.keys(this.#modules);
    for (const name of [...this.#choice.on, ...this.#choice.off]) {
      if (known.includes(name)) continue;
      const word = nearest(name, known);
      this.#fault(
        name,
        `there is no module \`${name}\`${word === undefined ? "" : `, did you mean \`${word}\`?`}`,
      );
    }
    for (const name of this.#choice.on)
      if (this.#choice.off.includes(name)) this.#fault(name, "is chosen to be on and to be off");
  }

  /** True when something was turned on, so that everything has to be looked at again. */
  #pullRequired(): boolean {
    for (const name of this.#on) {
      for (const required of own(this.#modules, name)?.requires ?? []) {
        if (this.#on.has(required) || own(this.#modules, required) === undefined) continue;
        if (this.#choice.off.includes(required))
          this.#fault(
            name,
            `requires module \`${required}\`, which is turned off: turn that on, or this off`,
          );
        else return this.#pull(required, `module \`${name}\` requires it`);
      }
    }
    return false;
  }

  #pullNeeded(): boolean {
    const on = new Set(this.#components());
    for (const name of on) {
      for (const needed of own(this.#app.components, name)?.needs ?? []) {
        if (on.has(needed)) continue;
        const holders = Object.keys(this.#modules).filter((module) => this.#holds(module, needed));
        const holder = holders.find((module) => !this.#choice.off.includes(module));
        if (holder !== undefined) return this.#pull(holder, `\`${name}\` needs \`${needed}\``);
        const off = holders[0];
        if (off !== undefined)
          this.#fault(
            off,
            `is turned off, but \`${name}\` needs its component \`${needed}\`: turn it on, or turn off what holds \`${name}\``,
          );
      }
    }
    return false;
  }

  #pull(name: string, because: string): true {
    this.#on.add(name);
    this.#pulledIn.push({ name, because });
    return true;
  }

  #checkConflicts(): void {
    for (const name of this.#on) {
      for (const other of own(this.#modules, name)?.conflicts ?? []) {
        if (this.#on.has(other))
          this.#fault(name, `conflicts with module \`${other}\`: turn one of them off`);
      }
    }
  }

  #components(): string[] {
    const inSome = new Set(Object.values(this.#modules).flatMap(({ components }) => components));
    const inOn = new Set([...this.#on].flatMap((name) => own(this.#modules, name)?.components ?? []));
    return Object.keys(this.#app.components).filter((name) => !inSome.has(name) || inOn.has(name));
  }

  #holds(module: string, component: string): boolean {
    return own(this.#modules, module)?.components.includes(component) ?? false;
  }

  #fault(name: string, message: string): void {
    this.#faults.set(`${name}: ${message}`, { path: `modules.${name}`, message });
  }
}
