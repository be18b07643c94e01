// The document that a backup carries, sealed with a passphrase, as a blob of role `backup/app`: JSON in UTF-8, format 1.
// It has all that an app is at a site, secrets too; content that it names by digest is in the same bundle.
import { type Digest, isDigest } from "@sampan/content";
import type { Fault } from "@sampan/problem";
import type { AppValues, DataSnapshotVolume } from "@sampan/store";
import { type App, parseAppValue } from "@sampan/template";
import type { KeptNames } from "./merge-base.ts";
import { deliveryProblem } from "./problems.ts";

export const BACKUP_ROLE = "backup/app";
export const BACKUP_MEDIA_TYPE = "application/vnd.sampan.backup.v1";
/** Templates of this kind only carry what belongs to no release: images of the app, and its data. */
export const CARRIER_PREFIX = "backup-";
/** Their names begin so: any template may have an id that begins as theirs. */
export const CARRIER_NAME = "Backup of ";

export function isCarrier(of: { readonly templateId: string; readonly templateName: string }): boolean {
  return of.templateId.startsWith(CARRIER_PREFIX) && of.templateName.startsWith(CARRIER_NAME);
}

export interface BackupDocument {
  readonly formatVersion: 1;
  /** Of the site that made it. */
  readonly site: string;
  readonly madeAt: string;
  readonly by: string;
  readonly note?: string;
  readonly app: { readonly name: string; readonly stopped: boolean };
  readonly spec: App;
  readonly values: AppValues;
  readonly modules: Readonly<Record<string, boolean>>;
  readonly installations: readonly BackedUpInstallation[];
  readonly data?: BackedUpData;
}

export interface BackedUpInstallation {
  readonly id: string;
  readonly templateId: string;
  readonly releaseDigest: Digest;
  readonly modules: Readonly<Record<string, boolean>>;
  readonly components: readonly string[];
  readonly names: KeptNames;
}

export interface BackedUpData {
  readonly imageId: Digest;
  readonly takenAt: string;
  readonly volumes: readonly DataSnapshotVolume[];
}

const FORMAT_VERSION = 1;
const ROWS_MAX = 10_000;
const TEXT_LENGTH_MAX = 4000;

/** Throws BACKUP_INVALID with every fault; one of a newer format is told apart. */
export function parseBackupDocument(bytes: Uint8Array): BackupDocument {
  const faults: Fault[] = [];
  const root = new Place(parseJson(bytes), "", faults);
  const formatVersion = root.at("formatVersion").number();
  if (formatVersion > FORMAT_VERSION)
    throw deliveryProblem("BACKUP_INVALID", "the backup was made by a newer version", {
      why: `its format is ${formatVersion}, and this version knows ${FORMAT_VERSION}`,
      hint: "upgrade Sampan here first",
    });
  const { value: spec, faults: specFaults } = parseAppValue(root.at("spec").value);
  faults.push(...specFaults.map((fault) => ({ ...fault, path: `spec.${fault.path}` })));
  const note = root.at("note").maybe((one) => one.text());
  const data = root.at("data").maybe(readData);
  const document = {
    formatVersion: FORMAT_VERSION,
    site: root.at("site").text(),
    madeAt: root.at("madeAt").text(),
    by: root.at("by").text(),
    app: { name: root.at("app").at("name").text(), stopped: root.at("app").at("stopped").flag() },
    values: readValues(root.at("values")),
    modules: root.at("modules").record((one) => one.flag()),
    installations: root.at("installations").list(readInstallation),
    ...(note === undefined ? {} : { note }),
    ...(data === undefined ? {} : { data }),
  } as const;
  if (spec === undefined || faults.length > 0)
    throw deliveryProblem("BACKUP_INVALID", "what the backup says of the app cannot be read", {
      faults: faults.slice(0, FAULTS_MAX),
      hint: "it was changed, or made by another version: make the backup again",
    });
  return { ...document, spec };
}

const FAULTS_MAX = 100;

function readValues(place: Place): AppValues {
  return {
    parameters: place.at("parameters").record((one) => one.answer()),
    generated: place.at("generated").record((one) => one.text(VALUE_LENGTH_MAX)),
    hostPorts: place.at("hostPorts").record((one) => one.number()),
  };
}

const VALUE_LENGTH_MAX = 64 * 1024;

function readInstallation(place: Place): BackedUpInstallation {
  return {
    id: place.at("id").text(),
    templateId: place.at("templateId").text(),
    releaseDigest: place.at("releaseDigest").digest(),
    modules: place.at("modules").record((one) => one.flag()),
    components: place.at("components").list((one) => one.text()),
    names: readNames(place.at("names")),
  };
}

type Parts = NonNullable<KeptNames["parts"]>;

function readNames(place: Place): KeptNames {
  const sections = place.without("parts").record((one) => one.record((name) => name.text()));
  const parts = place.at("parts").maybe(
    (one): Parts => ({
      first: one.at("first").digest(),
      later: one.at("later").list(readTaken),
    }),
  );
  return { ...(sections as unknown as KeptNames), ...(parts === undefined ? {} : { parts }) };
}

function readTaken(place: Place): Parts["later"][number] {
  const names = (section: string) => place.at(section).list((one) => one.text());
  return {
    release: place.at("release").digest(),
    components: names("components"),
    parameters: names("parameters"),
    modules: names("modules"),
    plugins: names("plugins"),
    routes: names("routes"),
    acceptance: names("acceptance"),
  };
}

function readData(place: Place): BackedUpData {
  return {
    imageId: place.at("imageId").digest(),
    takenAt: place.at("takenAt").text(),
    volumes: place.at("volumes").list((one) => ({
      component: one.at("component").text(),
      componentId: one.at("componentId").text(),
      volume: one.at("volume").text(),
      diffId: one.at("diffId").digest(),
      sizeBytes: one.at("sizeBytes").number(),
    })),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** A value in the document and where it is; what is not as it should be is noted as a fault, and read as something empty. */
class Place {
  readonly value: unknown;
  readonly #path: string;
  readonly #faults: Fault[];

  constructor(value: unknown, path: string, faults: Fault[]) {
    this.value = value;
    this.#path = path;
    this.#faults = faults;
  }

  at(key: string | number): Place {
    const { value } = this;
    const inner =
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string | number, unknown>>)[key]
        : undefined;
    return new Place(inner, this.#path === "" ? String(key) : `${this.#path}.${key}`, this.#faults);
  }

  without(key: string): Place {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this;
    const rest = Object.entries(value).filter(([name]) => name !== key);
    return new Place(Object.fromEntries(rest), this.#path, this.#faults);
  }

  maybe<T>(read: (place: Place) => T): T | undefined {
    return this.value === undefined ? undefined : read(this);
  }

  text(lengthMax = TEXT_LENGTH_MAX): string {
    const { value } = this;
    return typeof value === "string" && value.length <= lengthMax ? value : this.#wrong("a text", "");
  }

  number(): number {
    const { value } = this;
    return Number.isSafeInteger(value) && Number(value) >= 0
      ? Number(value)
      : this.#wrong("a whole number", 0);
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.#wrong("true or false", false);
  }

  answer(): string | number | boolean {
    const { value } = this;
    return typeof value === "boolean" || Number.isFinite(value)
      ? (value as number | boolean)
      : this.text(VALUE_LENGTH_MAX);
  }

  digest(): Digest {
    return isDigest(this.value) ? this.value : this.#wrong("a sha256 digest", NO_DIGEST);
  }

  list<T>(read: (place: Place) => T): readonly T[] {
    const { value } = this;
    if (!Array.isArray(value) || value.length > ROWS_MAX) return this.#wrong("a list", []);
    return value.map((_, index) => read(this.at(index)));
  }

  record<T>(read: (place: Place) => T): Readonly<Record<string, T>> {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.#wrong("an object", {});
    const keys = Object.keys(value);
    if (keys.length > ROWS_MAX) return this.#wrong("shorter", {});
    return Object.fromEntries(keys.map((key) => [key, read(this.at(key))]));
  }

  #wrong<T>(what: string, instead: T): T {
    this.#faults.push({ path: this.#path, message: `is not ${what}` });
    return instead;
  }
}

const NO_DIGEST: Digest = `sha256:${"0".repeat(64)}`;
