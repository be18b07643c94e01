/** What the reference page says beside what the program itself says. */
export interface ReferenceTexts {
  readonly head: string;
  readonly global: string;
  /** Environment, exit codes, output: after the options of every command. */
  readonly facts: string;
  readonly option: string;
  readonly meaning: string;
  readonly fallback: string;
  /** A text of the program in the page's language. */
  readonly say: (text: string) => string;
}

export const REFERENCE_EN: ReferenceTexts = {
  option: "Option",
  meaning: "Meaning",
  fallback: "default",
  say: (text) => text,
  head: `# Command line

[中文](zh/cli.md) · [Guide](README.md)

This page is generated from the program (\`npm run generate\`). \`sampan help COMMAND\` shows the same, with examples. How the command
\`sampan\` gets into your shell: [Getting started](getting-started.md#the-command-sampan).`,
  global: `## Options of every command

They may stand anywhere on the line.`,
  facts: `| Variable | Meaning |
|---|---|
| \`SAMPAN_SERVER\` | address of the server |
| \`SAMPAN_TOKEN\` | API token, such as of \`sampan token create\` |
| \`SAMPAN_TEAM\` | team to work in |
| \`SAMPAN_PASSWORD\` | password for \`setup\` and \`login\`, where nobody is there to type it |
| \`SAMPAN_CONFIG\` | file that keeps the login; else \`~/.config/sampan/session.json\` |

## In scripts

- Results go to stdout, progress and remarks to stderr. \`--json\` gives the result as one JSON document and is silent otherwise;
  \`component logs\` and \`observe --watch\` give one JSON object a line.
- A problem has three lines (what, why, fix) on stderr; with \`--json\` it is \`{"error": {"code", "message", "why", "hint", "faults"}}\`.
  The codes are stable: [all of them](../reference/problems.md).
- Where nobody is there to answer, a question is a refusal (exit code 3); \`--yes\` agrees beforehand. It does not accept findings
  of a publish report: those are named with \`--accept\`.
- Ctrl-C ends the command, not what the server does: it says how to look again. A transfer that broke off goes on when the same
  command is run again.

| Exit code | Meaning |
|---|---|
| 0 | done |
| 1 | failed: a rollout, a job, a command in a component |
| 2 | the command line, a file or an answer cannot be used |
| 3 | refused: no rights, no trust, no yes |
| 4 | there is no such thing |
| 5 | conflict: a name is taken, something else is under way |
| 6 | damaged: bytes are not what they must be |
| 7 | something outside: no server, no engine, no room on the disk |
| 130 | Ctrl-C |`,
};
