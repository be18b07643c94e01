import { type Digest, isDigest } from "@sampan/content";
import { z } from "zod";
import { reportProblem } from "./problems.ts";
import { type PageLanguage, renderPage } from "./render-page.ts";
import { type Countersignature, countersignature, type Report } from "./report.ts";

export const REPORT_FORMAT = "sampan-report/1";
const FORMAT = /^sampan-report\/\d+$/;

/** DSSE v1, as it stands in JSON. */
const envelope = z.strictObject({
  payload: z.string(),
  payloadType: z.string().max(512),
  signatures: z
    .array(z.strictObject({ keyid: z.custom<Digest>(isDigest, "is no key id"), sig: z.string().max(128) }))
    .max(64),
});

export type EnvelopeJson = z.infer<typeof envelope>;

const content = z.strictObject({
  format: z.string(),
  envelope,
  countersignatures: z.array(countersignature).max(200),
  language: z.enum(["en", "zh"]).optional(),
});

/** What a report's file holds, of whatever form it is. Nothing of it is verified. */
export interface ReportFile {
  readonly envelope: EnvelopeJson;
  readonly countersignatures: readonly Countersignature[];
  /** Of the page; absent in the JSON form. */
  readonly language?: PageLanguage | undefined;
}

/** The JSON form of a report's file. Ends with a line end. */
export function renderReportJson(file: Omit<ReportFile, "language">): string {
  const { envelope, countersignatures } = file;
  return `${JSON.stringify({ countersignatures, envelope, format: REPORT_FORMAT }, null, 2)}\n`;
}

/** The page: everything in one file, for screen and A4 paper, with the envelope inside. The same input gives the same text. */
export function renderReportPage(
  report: Report,
  file: ReportFile & { readonly language: PageLanguage },
): string {
  const { envelope, countersignatures, language } = file;
  // `<` must not stand in a script: it could end it.
  const block = JSON.stringify({ countersignatures, envelope, format: REPORT_FORMAT, language }).replaceAll(
    "<",
    "\\u003c",
  );
  return renderPage(report, { countersignatures, language, block });
}

const SCRIPT = /<script type="application\/json" id="sampan-report">([^<]*)<\/script>/g;
const LENGTH_MAX = 64 * 1024 * 1024;

/** Reads a report's file: JSON, a page, or the bare envelope. Throws REPORT_UNREADABLE, REPORT_NEWER. */
export function readReportFile(text: string): ReportFile {
  if (text.length > LENGTH_MAX) throw unreadable("it is larger than any report");
  const value = parseJson(text.trimStart().startsWith("<") ? blockOf(text) : text);
  const bare = envelope.safeParse(value);
  if (bare.success) return { envelope: bare.data, countersignatures: [] };
  refuseNewer(value);
  const parsed = content.safeParse(value);
  if (!parsed.success)
    throw unreadable(
      "it has not the form of a report",
      parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })),
    );
  return parsed.data;
}

function blockOf(page: string): string {
  const found = [...page.matchAll(SCRIPT)];
  const block = found[0]?.[1];
  if (block === undefined || found.length !== 1)
    throw unreadable("the page does not carry exactly one report");
  return block;
}

function refuseNewer(value: unknown): void {
  if (typeof value !== "object" || value === null || !("format" in value)) return;
  const { format } = value;
  if (typeof format !== "string" || !FORMAT.test(format) || format === REPORT_FORMAT) return;
  throw reportProblem("REPORT_NEWER", "the report is of a newer format", {
    why: `it says ${format}, and this version reads ${REPORT_FORMAT}`,
    hint: "verify it with a newer version",
  });
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable("it holds no JSON that can be read");
  }
}

export function unreadable(
  why: string,
  faults: readonly { readonly path: string; readonly message: string }[] = [],
) {
  return reportProblem("REPORT_UNREADABLE", "this is no acceptance report", {
    why,
    ...(faults.length === 0 ? {} : { faults }),
    hint: "export the report again where it was made",
  });
}
