export type { SiteIdentity } from "./basics.ts";
export { ledgerProblem, ledgerProblems } from "./problems.ts";
export {
  identityOf,
  LEDGER_FILE_BYTES_MAX,
  type LedgerDocument,
  type ReadOptions,
  readLedgerFile,
  requirePinnedKey,
} from "./read-ledger-file.ts";
export { RECEIPT_PAYLOAD_TYPE, type Receipt, receipt } from "./receipt.ts";
export { renderReceipt, renderRecord, renderSiteState } from "./render-documents.ts";
export { SITE_STATE_PAYLOAD_TYPE, type SiteState, siteState } from "./site-state.ts";
