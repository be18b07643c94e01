/** Whose login it is: a user name from an address. */
export interface LoginSource {
  readonly userName: string;
  readonly address: string;
}

interface Rule {
  readonly key: (source: LoginSource) => string;
  /** Failures that cost nothing. */
  readonly free: number;
  readonly waitMsMax: number;
}

const WAIT_FIRST_MS = 2000;
const FORGET_AFTER_MS = 3_600_000;
const KEPT_MAX = 10_000;
const KEY_LENGTH_MAX = 100;

/**
 * One person guessing is stopped soon; one address trying many names, later; many addresses trying one name, later still and never
 * for long, so that nobody can lock somebody else out.
 */
const RULES: readonly Rule[] = [
  { key: ({ userName, address }) => `pair ${name(userName)} ${address}`, free: 5, waitMsMax: 900_000 },
  { key: ({ address }) => `address ${address}`, free: 20, waitMsMax: 900_000 },
  { key: ({ userName }) => `user ${name(userName)}`, free: 50, waitMsMax: 30_000 },
];

const name = (userName: string) => userName.toLowerCase().slice(0, KEY_LENGTH_MAX);

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/** Slows the guessing of passwords. It is kept in memory: a restart forgives. */
export class LoginPace {
  readonly #nowMs: () => number;
  readonly #failures = new Map<string, Failures>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * 0 when the login may be tried now; it counts as failed until {@link passed}, so attempts side by side do not slip through.
   * Else the milliseconds to wait, and nothing is counted.
   */
  enter(source: LoginSource): number {
    const waitMs = Math.max(...RULES.map((rule) => this.#waitMs(rule, rule.key(source))));
    if (waitMs > 0) return waitMs;
    for (const rule of RULES) this.#note(rule.key(source));
    return 0;
  }

  /** The password was right. Only the pair is forgiven: an own account must not buy more guesses at others. */
  passed(source: LoginSource): void {
    const [pair, ...others] = RULES.map((rule) => rule.key(source));
    if (pair !== undefined) this.#failures.delete(pair);
    for (const key of others) this.#unnote(key);
  }

  #waitMs({ free, waitMsMax }: Rule, key: string): number {
    const failures = this.#failures.get(key);
    if (failures === undefined || failures.count < free) return 0;
    const sinceMs = this.#nowMs() - failures.lastMs;
    // In the future: the clock was set back since, and nobody is kept out until it gets there again.
    if (sinceMs < 0 || sinceMs >= FORGET_AFTER_MS) return 0;
    // 2 to the 20th is beyond every limit, and safely a number.
    const wait = WAIT_FIRST_MS * 2 ** Math.min(failures.count - free, 20);
    return Math.max(0, Math.min(wait, waitMsMax) - sinceMs);
  }

  #note(key: string): void {
    const before = this.#failures.get(key);
    const fresh = before === undefined || this.#nowMs() - before.lastMs >= FORGET_AFTER_MS;
    this.#failures.delete(key);
    this.#failures.set(key, { count: fresh ? 1 : before.count + 1, lastMs: this.#nowMs() });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > KEPT_MAX && oldest !== undefined) this.#failures.delete(oldest);
  }

  #unnote(key: string): void {
    const before = this.#failures.get(key);
    if (before !== undefined) this.#failures.set(key, { ...before, count: Math.max(0, before.count - 1) });
  }
}
