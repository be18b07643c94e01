/** The nouns whose changes can be watched. */
export type Noun =
  | "app"
  | "dataSnapshot"
  | "draft"
  | "event"
  | "import"
  | "installation"
  | "job"
  | "key"
  | "plan"
  | "record"
  | "release"
  | "report"
  | "rollout"
  | "setting"
  | "site"
  | "team"
  | "template"
  | "user";

/** Something was committed. It says what to read again, not what it became. */
export interface Change {
  readonly noun: Noun;
  readonly id: string;
  readonly act: "created" | "updated" | "removed";
  /** The team that owns it, where one does: who may be told. */
  readonly teamId?: string;
  /** The app it belongs to, where it does. */
  readonly appId?: string;
}

export type Watcher = (change: Change) => void;
