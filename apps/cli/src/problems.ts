import { EXIT, problemsOf } from "@sampan/problem";

export const cliProblems = {
  API_UNREACHABLE: {
    status: 503,
    exit: EXIT.outside,
    doc: "No Sampan server answers at the address. Start it, or name another with --server or SAMPAN_SERVER.",
  },
  API_ODD_REPLY: {
    status: 502,
    exit: EXIT.outside,
    doc: "What answers at the address is not a Sampan server.",
  },
  CLI_NOT_CONFIRMED: {
    status: 400,
    exit: EXIT.refused,
    doc: "The command wanted a yes. Nothing was done. `--yes` agrees beforehand.",
  },
  CLI_PREFLIGHT_FAILED: {
    status: 409,
    exit: EXIT.refused,
    doc: "The site lacks something that the change takes. Each line says what, and how it is mended. Nothing was done.",
  },
  CLI_USAGE: {
    status: 400,
    exit: EXIT.usage,
    doc: "The command line is not understood. `sampan help COMMAND` shows what it takes.",
  },
  CLI_FILE: {
    status: 400,
    exit: EXIT.usage,
    doc: "A file named on the command line cannot be read or written.",
  },
  CLI_AMBIGUOUS: {
    status: 400,
    exit: EXIT.usage,
    doc: "A name stands for more than one thing. Say which team, or use the id.",
  },
  CLI_ABSENT: { status: 404, exit: EXIT.absent, doc: "Nothing that you can see has this name." },
  CLI_INTERRUPTED: {
    status: 499,
    exit: 130,
    doc: "Ctrl-C ended the command. What the server had begun goes on: `sampan job list`, `sampan record list`.",
  },
  CLI_CONNECTION_LOST: {
    status: 503,
    exit: EXIT.outside,
    doc: "The connection to the server broke in the middle of a transfer, again and again. The same command goes on where it ended.",
  },
  CLI_TRANSFER_DAMAGED: {
    status: 500,
    exit: EXIT.damaged,
    doc: "What arrived does not have the digest of what was sent. The file was thrown away; send it again.",
  },
  CLI_JOB_FAILED: {
    status: 500,
    exit: EXIT.failed,
    doc: "The job failed without naming a problem. Its log says more.",
  },
  CLI_ROLLOUT_FAILED: {
    status: 500,
    exit: EXIT.failed,
    doc: "The rollout did not end in success. The record and the logs say why.",
  },
  CLI_COMMAND_FAILED: {
    status: 500,
    exit: EXIT.failed,
    doc: "A command that was run in a component ended with an exit code other than 0.",
  },
  CLI_BUG: {
    status: 500,
    exit: EXIT.failed,
    doc: "The command line broke an invariant of its own. What it printed helps its maintainers.",
  },
} as const;

export const cliProblem = problemsOf(cliProblems);
