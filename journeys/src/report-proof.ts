import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./processes.ts";

interface ReportFile {
  readonly envelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
  };
}

/** Verifies the signature under a report with openssl alone, as somebody does who trusts no program of ours. Throws when it is false. */
export async function verifyWithOpenssl(reportPath: string, keyPath: string, folder: string): Promise<void> {
  const { envelope } = JSON.parse(await readFile(reportPath, "utf8")) as ReportFile;
  const payload = Buffer.from(envelope.payload, "base64");
  const { payloadType, signatures } = envelope;
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  const [pae, sig] = [join(folder, "report.pae"), join(folder, "report.sig")];
  await writeFile(pae, Buffer.concat([Buffer.from(head), payload]));
  await writeFile(sig, Buffer.from(signatures[0]?.sig ?? "", "base64"));
  const files = ["-inkey", keyPath, "-in", pae, "-sigfile", sig];
  await run(["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", ...files]);
}

/** A copy of a report that says something else than what was signed. */
export async function forged(reportPath: string, target: string): Promise<string> {
  const file = JSON.parse(await readFile(reportPath, "utf8")) as ReportFile;
  const text = Buffer.from(file.envelope.payload, "base64").toString("utf8");
  const payload = Buffer.from(text.replace('"succeeded"', '"cancelled"')).toString("base64");
  await writeFile(target, JSON.stringify({ ...file, envelope: { ...file.envelope, payload } }));
  return target;
}
