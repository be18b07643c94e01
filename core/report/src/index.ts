export type { PageLanguage } from "./page-texts.ts";
export { reportProblem, reportProblems } from "./problems.ts";
export {
  type Countersignature,
  countersignature,
  REPORT_PAYLOAD_TYPE,
  type Report,
  report,
} from "./report.ts";
export {
  type EnvelopeJson,
  type ReportFile,
  readReportFile,
  renderReportJson,
  renderReportPage,
} from "./report-file.ts";
export {
  envelopeBytes,
  type OpenEnvelope,
  type OpenedEnvelope,
  parseReport,
  type VerifiedCountersignature,
  type VerifiedReport,
  verifyCountersignature,
  verifyReport,
} from "./verify-report.ts";
