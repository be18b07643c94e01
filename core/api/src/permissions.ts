/**
 * Who may do what: one complete table. A permission is asked in the enterprise or in one team; a role in a team holds there only,
 * the administrator of the enterprise may do everything.
 */

export const TEAM_ROLES = ["viewer", "developer", "administrator"] as const;
export type TeamRole = (typeof TEAM_ROLES)[number];

interface PermissionRow {
  readonly scope: "team" | "enterprise" | "person";
  /** For scope team: the least role. Scope person: anybody who is logged in. Scope enterprise: its administrator. */
  readonly role?: TeamRole;
  readonly title: string;
}

export const PERMISSIONS = {
  "self.use": { scope: "person", title: "use one's own account" },
  "app.read": { scope: "team", role: "viewer", title: "see apps, logs and records" },
  "app.write": { scope: "team", role: "developer", title: "create, edit, start, stop and scale apps" },
  "app.delete": { scope: "team", role: "administrator", title: "delete apps" },
  "app.exec": { scope: "team", role: "developer", title: "run commands in components" },
  "app.publish": { scope: "team", role: "developer", title: "publish releases" },
  "app.install": { scope: "team", role: "developer", title: "install, upgrade and roll back" },
  "app.snapshot": {
    scope: "team",
    role: "developer",
    title: "take, put back and remove data snapshots, and back apps up",
  },
  "library.read": { scope: "team", role: "viewer", title: "see templates and releases" },
  "library.write": {
    scope: "team",
    role: "administrator",
    title: "change and delete templates and releases",
  },
  "bundle.export": { scope: "team", role: "developer", title: "export bundles" },
  "bundle.import": { scope: "team", role: "administrator", title: "import bundles for a team" },
  "image.push": { scope: "team", role: "developer", title: "push images to the registry" },
  "team.manage": { scope: "team", role: "administrator", title: "change a team's members" },
  "enterprise.manage": {
    scope: "enterprise",
    title: "manage users, teams, keys and the hold, and import for the enterprise",
  },
} as const satisfies Record<string, PermissionRow>;

export type Permission = keyof typeof PERMISSIONS;

/** Who asks: as the server found out from a session or token. */
export interface Actor {
  readonly userId: string;
  readonly name: string;
  readonly enterpriseAdministrator: boolean;
  /** Role by team id. */
  readonly teams: Readonly<Record<string, TeamRole>>;
}

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Whether the actor may do it in the team (scope team), or at all (other scopes; `teamId` is not looked at). */
export function judge(actor: Actor, permission: Permission, teamId?: string): Verdict {
  const row: PermissionRow = PERMISSIONS[permission];
  if (actor.enterpriseAdministrator || row.scope === "person") return { allowed: true };
  if (row.scope === "enterprise") {
    return { allowed: false, reason: `only an administrator of the enterprise may ${row.title}` };
  }
  const least = row.role ?? "administrator";
  const held = teamId === undefined ? undefined : actor.teams[teamId];
  if (held !== undefined && TEAM_ROLES.indexOf(held) >= TEAM_ROLES.indexOf(least)) return { allowed: true };
  return { allowed: false, reason: `it takes the role ${least} in the team to ${row.title}` };
}

/** Ids of the teams in which the actor may do it; "all" for an administrator of the enterprise. */
export function teamsWhere(actor: Actor, permission: Permission): "all" | readonly string[] {
  if (actor.enterpriseAdministrator) return "all";
  return Object.keys(actor.teams).filter((team) => judge(actor, permission, team).allowed);
}
