/** What a command may do with the person in front of it. Tests give their own. */
export interface Terminal {
  /** A person sits there: may be asked, and sees a line that is written over. */
  readonly isInteractive: boolean;
  readonly columns: number;
  /** Text of the command's result. */
  out(text: string): void;
  /** Progress and remarks: on stderr, so that results can be piped. */
  err(text: string): void;
  /** A line on stderr that the next one takes the place of; nothing clears it. Only where a person sits. */
  overwrite(text?: string): void;
  /** Text of a result in place of the one before, on a screen; elsewhere below it. */
  redraw(text: string): void;
  /** Asks; `secret` does not echo. Throws CLI_USAGE when nobody is there. */
  ask(question: string, options?: { readonly secret?: boolean; readonly default?: string }): Promise<string>;
  /** All of standard input as UTF-8. Throws CLI_FILE when there is more. */
  readStdin(options: { readonly sizeBytesMax: number }): Promise<string>;
}
