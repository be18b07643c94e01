import { keyId, parseEnvelope, verifyEnvelope } from "@sampan/bundle";
import {
  LEDGER_FILE_BYTES_MAX,
  type LedgerDocument,
  type ReadOptions,
  readLedgerFile,
  renderReceipt,
  renderSiteState,
} from "@sampan/ledger";
import { readLocalText } from "./local-file.ts";
import { oneLine } from "./text-width.ts";

const OPTIONS: ReadOptions = {
  open: (bytes, trustedKeys) => {
    const envelope = parseEnvelope(bytes);
    return { ...envelope, ...verifyEnvelope(envelope, trustedKeys) };
  },
  keyId,
};

export function readLedgerText(path: string): Promise<string> {
  return readLocalText(path, { sizeBytesMax: LEDGER_FILE_BYTES_MAX });
}

/** What a site state or receipt says, once the key in it is known to have signed it. */
export function openLedgerText(text: string): LedgerDocument {
  return readLedgerFile(text, OPTIONS);
}

/** For people; what a site wrote cannot move the cursor. */
export function renderLedgerDocument(document: LedgerDocument): string {
  const text = document.kind === "state" ? renderSiteState(document.state) : renderReceipt(document.receipt);
  return text.split("\n").map(oneLine).join("\n");
}
