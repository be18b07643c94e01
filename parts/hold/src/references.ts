import { contentProblem, type Descriptor } from "@sampan/content";
import type { HoldIndex } from "./hold-index.ts";

const NAME_LENGTH_MAX = 512;
const LIST_MAX = 10_000;

/** Names that protect content. */
export class References {
  readonly #index: HoldIndex;

  constructor(index: HoldIndex) {
    this.#index = index;
  }

  set(name: string, target: Descriptor): void {
    if (name === "" || name.length > NAME_LENGTH_MAX || name.includes("\0"))
      throw contentProblem("CONTENT_INVALID", "a reference needs a name of 1 to 512 characters");
    const sql = "INSERT OR REPLACE INTO named (name, target) VALUES (?, ?)";
    this.#index.transaction(() => this.#index.run(sql, name, JSON.stringify(target)));
  }

  get(name: string): Descriptor | undefined {
    const row = this.#index.get("SELECT target FROM named WHERE name = ?", name);
    return row === undefined ? undefined : (JSON.parse(String(row.target)) as Descriptor);
  }

  list(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): { readonly name: string; readonly target: Descriptor }[] {
    const sql =
      "SELECT name, target FROM named WHERE name > ? AND name >= ? AND substr(name, 1, length(?)) = ? ORDER BY name LIMIT ?";
    const limit = Math.min(Math.max(0, page.limit), LIST_MAX);
    return this.#index.all(sql, page.after ?? "", prefix, prefix, prefix, limit).map((row) => ({
      name: String(row.name),
      target: JSON.parse(String(row.target)) as Descriptor,
    }));
  }

  remove(name: string): boolean {
    return this.#index.transaction(() => this.#index.run("DELETE FROM named WHERE name = ?", name)) > 0;
  }
}
