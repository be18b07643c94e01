import type { App, Component } from "@sampan/template";
import { describe, expect, test } from "vitest";
import {
  type Change,
  changeHints,
  diffApps,
  type MergeInput,
  merge,
  planReturn,
  renderChanges,
} from "./index.ts";
import { emptySite, image, shopNew, shopOld } from "./merge-samples.ts";

const installed = merge({ newRelease: shopOld, site: emptySite, installation: "i1" }).app;

function edit(app: App, name: string, change: Partial<Component>): App {
  return {
    ...app,
    components: { ...app.components, [name]: { ...(app.components[name] as Component), ...change } },
  };
}

const orders = installed.components.orders as Component;
const edited = edit(
  edit(installed, "orders", { replicas: 5, env: { ...orders.env, CURRENCY: "GBP", OWN: "1" } }),
  "db",
  {
    stopGrace: "1m",
  },
);
const upgrade: MergeInput = { oldRelease: shopOld, newRelease: shopNew, site: edited, installation: "i1" };

function changeOf(changes: readonly Change[], path: string): Change | undefined {
  return changes.find((change) => change.path === path);
}

describe("merge", () => {
  test("an install is an upgrade from nothing", () => {
    const { app, changes, names } = merge({ newRelease: shopOld, site: emptySite, installation: "i1" });
    expect(app).toEqual({
      ...emptySite,
      ...shopOld,
      components: Object.fromEntries(
        Object.entries(shopOld.components).map(([name, one]) => [name, { ...one, installation: "i1" }]),
      ),
    });
    expect(changes.every((change) => change.action === "add")).toBe(true);
    expect(Object.values(names).every((map) => Object.keys(map).length === 0)).toBe(true);
  });

  test("an upgrade says what becomes of every property, and why", () => {
    const { app, changes, pulledIn } = merge(upgrade);
    expect(renderChanges(changes)).toMatchSnapshot();
    expect(pulledIn).toEqual([]);
    expect(app).toMatchSnapshot();
  });

  test("no change holds a secret", () => {
    const site = edit(installed, "db", { connection: { DB_HOST: "db", DB_PASSWORD: { secret: "s3cret" } } });
    const newRelease = {
      ...shopOld,
      components: {
        ...shopOld.components,
        db: { ...(shopOld.components.db as Component), connection: { DB_PASSWORD: "plain", DB_HOST: "x" } },
      },
    };
    const { changes } = merge({ oldRelease: shopOld, newRelease, site, installation: "i1" });
    const text = JSON.stringify(changes) + renderChanges(changes);
    expect(changeOf(changes, "components.db.connection.DB_PASSWORD")).toMatchObject({
      secret: true,
      action: "keep",
    });
    for (const secret of ["s3cret", "plain", "hunter2"]) expect(text).not.toContain(secret);
  });

  test("a person can take, keep or edit each property", () => {
    const { app, changes } = merge({
      ...upgrade,
      decisions: {
        "components.orders.env.CURRENCY": "take",
        "components.orders.env.PAGE_SIZE": { edit: "30" },
        "components.orders.env.OLD_KEY": "take",
        "components.orders.image": "keep",
        "components.legacy": "take",
        "components.search": "keep",
        "routes.main": "keep",
      },
    });
    expect(app.components.orders).toMatchObject({
      env: { CURRENCY: "USD", PAGE_SIZE: "30", OWN: "1" },
      image: orders.image,
    });
    expect(app.components.orders?.env).not.toHaveProperty("OLD_KEY");
    expect(Object.keys(app.components).sort()).toEqual(["db", "orders", "recommend"]);
    expect(app.routes).toEqual(installed.routes);
    expect(changeOf(changes, "components.orders.env.PAGE_SIZE")).toMatchObject({
      decided: true,
      after: "30",
    });
  });

  test("a selected component brings what it newly needs, and nothing else", () => {
    const { app, pulledIn, changes } = merge({ ...upgrade, selection: ["orders"] });
    expect(pulledIn).toEqual([{ component: "recommend", because: "orders needs it, and it is not here" }]);
    expect(Object.keys(app.components)).toEqual(["db", "orders", "legacy", "recommend"]);
    expect(app.routes).not.toHaveProperty("find");
    expect(app.parameters).not.toHaveProperty("theme");
    expect(changeOf(changes, "components.search")).toMatchObject({
      action: "keep",
      why: "new in this release, and not selected",
    });
  });

  test("a component that the site renamed keeps its name, and what names it follows", () => {
    const { orders: one, ...rest } = edited.components;
    const site: App = {
      ...edited,
      components: { ...rest, "my-orders": one as Component },
      routes: {
        main: { kind: "http", match: { path: "/" }, to: [{ component: "my-orders", port: "http" }] },
      },
    };
    const { app } = merge({ ...upgrade, site });
    expect(Object.keys(app.components).sort()).toEqual(["db", "legacy", "my-orders", "recommend", "search"]);
    expect(app.components["my-orders"]?.image).toEqual(image("shop/orders:3.0", "4"));
    expect(app.routes?.main).toMatchObject({ match: { path: "/shop" }, to: [{ component: "my-orders" }] });
  });

  test("the same template installed twice in one app keeps the two apart", () => {
    const second = merge({ newRelease: shopOld, site: installed, installation: "i2" });
    expect(second.names).toMatchObject({ parameters: { domain: "domain_2" }, routes: { main: "main-2" } });
    const { app } = second;
    for (const [name, one] of Object.entries(installed.components)) expect(app.components[name]).toBe(one);
    expect(app.components["orders-2"]).toMatchObject({
      installation: "i2",
      needs: ["db-2"],
      env: { DOMAIN: { parameter: "domain_2" } },
    });
    expect(app.components["db-2"]?.connection?.DB_HOST).toBe("db-2");
    expect(app.routes?.["main-2"]).toMatchObject({ to: [{ component: "orders-2" }] });

    const upgraded = merge({
      oldRelease: shopOld,
      newRelease: shopNew,
      site: app,
      installation: "i2",
      names: second.names,
    });
    for (const [name, one] of Object.entries(installed.components))
      expect(upgraded.app.components[name]).toBe(one);
    expect(upgraded.app.parameters?.domain).toEqual(installed.parameters?.domain);
    expect(upgraded.app.parameters?.domain_2).toMatchObject({ title: "Domain", default: "shop.local" });
    expect(upgraded.app.components["orders-2"]?.needs).toEqual(["db-2", "recommend"]);
  });

  test("a component that the site removed stays away, unless something needs it or it is selected", () => {
    const { legacy: _, ...components } = installed.components;
    const newRelease = {
      ...shopNew,
      components: { ...shopNew.components, legacy: shopOld.components.legacy as Component },
    };
    const site = { ...installed, components };
    expect(merge({ ...upgrade, newRelease, site }).app.components).not.toHaveProperty("legacy");
    expect(merge({ ...upgrade, newRelease, site, selection: ["legacy"] }).app.components).toHaveProperty(
      "legacy",
    );
  });

  test("a component that was built anew can be mapped to the release's", () => {
    const site = edit(installed, "orders", { id: "another", installation: "hand-made" });
    const { app } = merge({ ...upgrade, site, mapping: { "id-orders": "orders" } });
    expect(app.components.orders).toMatchObject({ id: "id-orders", installation: "i1" });
    expect(app.components).not.toHaveProperty("orders-2");
  });

  test("hints say what changed, for the plan's reasons", () => {
    expect(changeHints(merge(upgrade).changes).orders).toMatchInlineSnapshot(`
      [
        "image",
        "port http",
        "command",
        "env TRACE",
        "file /etc/new.conf",
        "need of recommend",
        "probe ready",
      ]
    `);
  });

  const refused: readonly [string, Partial<MergeInput>][] = [
    ["PLAN_UNKNOWN_COMPONENT", { selection: ["nobody"] }],
    ["PLAN_UNKNOWN_COMPONENT", { mapping: { "id-orders": "nobody" } }],
    ["PLAN_UNKNOWN_CHANGE", { decisions: { "components.orders.env.NOTHING": "take" } }],
    ["PLAN_DECISION_INVALID", { decisions: { "components.orders.env.CURRENCY": { edit: null } } }],
  ];
  test.each(refused)("refuses with %s", (code, more) => {
    expect(() => merge({ ...upgrade, ...more })).toThrow(expect.objectContaining({ code }));
  });

  test("a component that others need is not removed", () => {
    const site = edit(installed, "orders", { needs: ["db", "legacy"] });
    expect(() => merge({ ...upgrade, site, decisions: { "components.legacy": "take" } })).toThrow(
      expect.objectContaining({ code: "PLAN_NEED_ABSENT" }),
    );
  });
});

describe("planReturn", () => {
  const after = merge(upgrade).app;

  test("going back gives what was before; what was added stays unless it is asked to go", () => {
    const back = planReturn({ snapshot: edited, after, site: after, installation: "i1" });
    expect(back.stays).toEqual(["recommend", "search"]);
    expect(back.app.components.orders).toEqual(edited.components.orders);
    expect(back.app.routes).toHaveProperty("find");
    expect(renderChanges(back.changes)).toMatchSnapshot();
    const all = planReturn({ snapshot: edited, after, site: after, installation: "i1", remove: back.stays });
    expect(all.app).toEqual(edited);
  });

  test("edits made since are listed as lost, and can be kept", () => {
    const site = edit(after, "orders", {
      env: { ...after.components.orders?.env, CURRENCY: "CHF", LATER: "1" },
    });
    const back = planReturn({ snapshot: edited, after, site });
    const lost = back.changes.filter((change) => change.laterEdit);
    expect(lost.map((change) => change.path).sort()).toEqual([
      "components.orders.env.CURRENCY",
      "components.orders.env.LATER",
    ]);
    const kept = planReturn({
      snapshot: edited,
      after,
      site,
      decisions: { "components.orders.env.CURRENCY": "keep" },
    });
    expect(kept.app.components.orders?.env?.CURRENCY).toBe("CHF");
  });

  test("what was removed since comes back, and what another installation did stays", () => {
    const second = merge({ newRelease: shopOld, site: after, installation: "i2" }).app;
    const { db: _, ...components } = second.components;
    const site = {
      ...second,
      components: { ...components, orders: { ...components.orders, needs: [] } as Component },
    };
    const back = planReturn({ snapshot: edited, after, site, installation: "i1" });
    expect(back.app.components.db).toEqual(edited.components.db);
    expect(back.app.components["db-2"]).toBe(second.components["db-2"]);
    expect(back.app.routes).toHaveProperty("main-2");
    expect(back.app.parameters).toHaveProperty("domain_2");
  });

  test("a component renamed since is found, and keeps its name of now", () => {
    const { orders: one, ...rest } = after.components;
    const site: App = { ...after, components: { ...rest, sales: one as Component } };
    const back = planReturn({ snapshot: edited, after, site });
    expect(back.app.components.sales).toEqual(edited.components.orders);
    expect(back.app.components).not.toHaveProperty("orders");
  });

  test("a component that others need cannot go", () => {
    expect(() => planReturn({ snapshot: edited, after, site: after, remove: ["nobody"] })).toThrow(
      expect.objectContaining({ code: "PLAN_UNKNOWN_COMPONENT" }),
    );
    const site = edit(after, "legacy", { installation: "i9", needs: ["search"] });
    expect(() =>
      planReturn({ snapshot: edited, after, site, installation: "i1", remove: ["search"] }),
    ).toThrow(expect.objectContaining({ code: "PLAN_NEED_ABSENT" }));
  });
});

describe("diffApps", () => {
  test("equal apps differ in nothing, and others property by property", () => {
    expect(diffApps(edited, structuredClone(edited))).toEqual([]);
    expect(renderChanges(diffApps(shopOld, shopNew))).toMatchSnapshot();
  });
});
