import type { Repository } from "./repository.ts";
import { lineAt, type SourceFile, sourcesOf } from "./source-file.ts";

/** One house rule, as a check over the whole repository. */
export interface Rule {
  /** A sentence that is true of a tidy repository. */
  readonly name: string;
  readonly why: string;
  check(repository: Repository): readonly Finding[];
}

export interface Finding {
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

/** A rule that looks at one source at a time. `look` reports by byte offset. */
export function sourceRule(
  rule: Pick<Rule, "name" | "why">,
  look: (
    source: SourceFile,
    report: (start: number, message: string) => void,
    repository: Repository,
  ) => void,
): Rule {
  return {
    ...rule,
    check(repository) {
      const findings: Finding[] = [];
      for (const source of sourcesOf(repository)) {
        const report = (start: number, message: string) =>
          findings.push({ path: source.path, line: lineAt(source.text, start), message });
        look(source, report, repository);
      }
      return findings;
    },
  };
}

export function renderFinding({ path, line, message }: Finding): string {
  return `${path}${line === undefined ? "" : `:${line}`}: ${message}`;
}
