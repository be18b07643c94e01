// @ts-check

/** A stop that a person can act on, shown in the same three lines as every problem of the product. */
export class Failure extends Error {
  /**
   * @param {string} code
   * @param {string} what
   * @param {{ readonly why: string, readonly fix: string }} details
   */
  constructor(code, what, { why, fix }) {
    super(what);
    this.code = code;
    this.why = why;
    this.fix = fix;
  }
}

/** @param {unknown} error */
export function renderFailure(error) {
  if (!(error instanceof Failure))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`error[${error.code}]: ${error.message}`, `  why: ${error.why}`, `  fix: ${error.fix}`].join("\n");
}

/**
 * Tells what is being done, apart from the output of what is run.
 *
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`sampan: ${line}\n`);
}
