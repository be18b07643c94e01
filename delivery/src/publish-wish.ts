import type { Digest } from "@sampan/content";
import type { Actor } from "./parts.ts";
import type { PublishReport } from "./publish-report.ts";

export interface PublishWish {
  readonly appId: string;
  readonly by: Actor;
  readonly template: {
    /** Of a template that exists; else `name` makes a new one. */
    readonly id?: string;
    readonly name?: string;
    readonly summary?: string;
    readonly tags?: readonly string[];
    readonly logo?: {
      readonly mediaType: "image/png" | "image/jpeg" | "image/svg+xml";
      readonly base64: string;
    };
  };
  readonly scope: "team" | "enterprise";
  readonly version: string;
  readonly alias?: string;
  readonly notes?: string;
  readonly components?: readonly string[];
  readonly values: readonly {
    readonly path: string;
    readonly as: "fixed" | "ask" | "random";
    readonly title?: string;
  }[];
  readonly scaling: Readonly<Record<string, unknown>>;
  readonly replace: boolean;
  readonly accept: readonly string[];
}

export interface PublishPreview extends PublishReport {
  readonly suggestedVersion: string;
  readonly replaces?: Digest;
}

export interface Published {
  readonly digest: Digest;
  readonly templateId: string;
  readonly templateName: string;
  readonly version: string;
  readonly replaced?: Digest;
  readonly images: number;
}
