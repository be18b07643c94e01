import type { Hold } from "@sampan/hold";
import type { Driver, StepContext } from "@sampan/runtime";
import type { Nouns, Store } from "@sampan/store";

/** Thrown by everything that a dead server tries to do. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** A server's life, counted in moments: before and after each write and each step of the engine. It may be made to end at one. */
export class Life {
  readonly moments: string[] = [];
  readonly #endsAt: number;
  #over = false;

  constructor(endsAt = Number.POSITIVE_INFINITY) {
    this.#endsAt = endsAt;
  }

  /** Whether its end came. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Nothing goes further once the end has come. */
  moment(what: string): void {
    if (!this.#over) this.moments.push(what);
    if (this.moments.length >= this.#endsAt) this.#over = true;
    if (this.#over) throw new Crash(`the server died at ${what}`);
  }

  end(): void {
    this.#over = true;
  }
}

const WRITES =
  /^(add.*|again|begin.*|cancelled|complete|create|end.*|fail|move|put|remove.*|revoke|set.*|update)$/;

/** A store that dies with the server: each write outside a transaction, and each transaction, has a moment before and one after. */
export function mortalStore(store: Store, life: Life): Store {
  const mortal = (what: string, act: (...args: never[]) => Promise<unknown>) => {
    return async (...args: never[]) => {
      life.moment(`before ${what}`);
      const result = await act(...args);
      life.moment(`after ${what}`);
      return result;
    };
  };
  const nouns = Object.entries(store as unknown as Record<string, unknown>).map(([noun, functions]) => {
    if (noun === "transaction") {
      const transaction = (work: (nouns: Nouns) => Promise<unknown>) => store.transaction(work);
      return [noun, mortal(noun, transaction)];
    }
    if (typeof functions !== "object" || functions === null) return [noun, functions];
    const verbs = Object.entries(functions as Record<string, (...args: never[]) => Promise<unknown>>);
    return [
      noun,
      Object.fromEntries(
        verbs.map(([verb, act]) => [verb, WRITES.test(verb) ? mortal(`${noun}.${verb}`, act) : act]),
      ),
    ];
  });
  return Object.fromEntries(nouns) as Store;
}

/** A driver whose steps end with the server: what the engine did stays done. */
export function mortalDriver(driver: Driver, life: Life): Driver {
  type Verb = (step: never, context: StepContext) => Promise<void>;
  const steps = Object.entries(driver.steps as unknown as Record<string, Verb>).map(([kind, verb]) => [
    kind,
    async (step: never, context: StepContext) => {
      life.moment(`before ${kind}`);
      await verb(step, context);
      life.moment(`after ${kind}`);
    },
  ]);
  return {
    ...driver,
    steps: Object.fromEntries(steps) as Driver["steps"],
    async writeVolume(...args) {
      life.moment("before writeVolume");
      await driver.writeVolume(...args);
      life.moment("after writeVolume");
    },
    async exec(...args) {
      life.moment("before exec");
      const result = await driver.exec(...args);
      life.moment("after exec");
      return result;
    },
  };
}

const HOLD_WRITES = new Set<PropertyKey>(["addImage", "captureLayer", "removeReference", "setReference"]);

/** A hold whose writes end with the server: what it took in stays. */
export function mortalHold(hold: Hold, life: Life): Hold {
  return new Proxy(hold, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const act = value.bind(target) as (...args: never[]) => Promise<unknown>;
      if (!HOLD_WRITES.has(key)) return act;
      return async (...args: never[]) => {
        life.moment(`before hold.${String(key)}`);
        const result = await act(...args);
        life.moment(`after hold.${String(key)}`);
        return result;
      };
    },
  });
}
