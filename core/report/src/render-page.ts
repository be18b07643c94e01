import { type Html, html } from "./html.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { PAGE_TEXTS, type PageLanguage, type PageTexts } from "./page-texts.ts";
import type { Countersignature, Report } from "./report.ts";

export type { PageLanguage };

interface Page {
  readonly countersignatures: readonly Countersignature[];
  readonly language: PageLanguage;
  /** JSON without `<`: what a program reads. */
  readonly block: string;
}

/** One page of HTML that needs nothing else: no script runs, nothing is fetched. */
export function renderPage(report: Report, { countersignatures, language, block }: Page): string {
  const texts = PAGE_TEXTS[language];
  const title = html`${texts.title} · ${report.app.title ?? report.app.name}`;
  return `<!doctype html>
<html lang="${texts.htmlLang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
${head(report, texts)}
${facts(report, texts)}
${acceptance(report, texts)}
${preflight(report, texts)}
${contents(report, texts)}
${steps(report, texts)}
${signatures(countersignatures, texts)}
<footer>${html`${texts.foot}`}</footer>
<script type="application/json" id="sampan-report">${block}</script>
</body>
</html>
`;
}

function head(report: Report, texts: PageTexts): Html {
  const version = report.to === undefined ? "" : ` ${report.to.version}`;
  const name = `${report.app.title ?? report.app.name}${version}`;
  return html`<h1>${texts.title}</h1>
<p class="sub">${texts.kinds[report.kind]} · ${name}</p>
<p><span class="result ${report.result === "succeeded" ? "good" : "bad"}">${texts.results[report.result]}</span></p>`;
}

function facts(report: Report, texts: PageTexts): Html {
  const release = (one: Report["from"]) => one && html`${one.version} <span class="id">${one.digest}</span>`;
  const template =
    report.template && html`${report.template.name} <span class="id">${report.template.id}</span>`;
  const rows: readonly (readonly [string, Html | string | undefined])[] = [
    [texts.app, html`${report.app.name} <span class="id">${report.app.id}</span>`],
    [texts.team, report.team],
    [texts.template, template],
    [texts.from, release(report.from) ?? (report.kind === "install" ? texts.nothingBefore : undefined)],
    [texts.to, release(report.to)],
    [texts.who, report.who],
    [texts.why, report.why && html`<span class="keep">${report.why}</span>`],
    [texts.reason, report.reason && html`<span class="keep">${report.reason}</span>`],
    [texts.started, timeText(report.startedAt)],
    [texts.ended, timeText(report.endedAt)],
    [texts.dataSnapshot, report.dataSnapshot ?? texts.none],
    [texts.site, report.site.id],
    [texts.siteKey, html`<span class="id">${report.site.keyId}</span>`],
    [texts.record, html`<span class="id">${report.id}</span>`],
    [texts.product, `Sampan ${report.productVersion}`],
  ];
  const shown = rows.flatMap(([label, value]) =>
    value === undefined || value === "" ? [] : [html`<tr><th>${label}</th><td>${value}</td></tr>\n`],
  );
  return html`<table class="facts">${shown}</table>`;
}

function acceptance({ acceptance: checks }: Report, texts: PageTexts): Html {
  const rows = checks.map((check) => [
    html`${check.name}`,
    stateCell(check.state, texts),
    html`<span class="num">${took(check.tookMs)}</span>`,
    html`${check.message ?? ""}`,
  ]);
  return section(texts.acceptance, {
    columns: [texts.check, texts.result, texts.took, texts.found],
    rows,
    empty: texts.noAcceptance,
  });
}

function preflight({ preflight: checks }: Report, texts: PageTexts): Html {
  const rows = checks.map((check) => [
    html`${nameOf(check, texts)}`,
    stateCell(check.state, texts),
    html`${check.wanted}`,
    html`${check.found}`,
    html`${check.remedy ?? ""}`,
  ]);
  return section(texts.preflight, {
    columns: [texts.check, texts.result, texts.wanted, texts.found, texts.remedy],
    rows,
    empty: texts.noPreflight,
  });
}

function contents(report: Report, texts: PageTexts): Html {
  const images = report.images.map(({ component, name, id }) => [
    html`${component}`,
    html`${name}`,
    html`<span class="id">${id}</span>`,
  ]);
  const parameters = report.parameters.map(({ name, title, value }) => [
    html`${title === undefined || title === name ? name : `${title} (${name})`}`,
    html`<span class="keep">${value}</span>`,
  ]);
  const modules =
    report.modules.length === 0 ? "" : html`<p>${texts.modules}: ${report.modules.join(", ")}</p>`;
  return html`${section(texts.images, { columns: [texts.component, texts.image, texts.imageId], rows: images, empty: texts.none })}
${modules}
${section(texts.parameters, { columns: [texts.setting, texts.value], rows: parameters, empty: texts.noParameters })}`;
}

function steps({ plan }: Report, texts: PageTexts): Html {
  const rows = plan.steps.map((step) => [
    html`${texts.steps[step.kind] ?? step.kind} ${step.object}${step.message === undefined ? "" : html`<br><span class="keep">${step.message}</span>`}`,
    html`${step.why}`,
    stateCell(step.state, texts),
    html`<span class="num">${took(step.tookMs)}</span>`,
  ]);
  const columns = [texts.step, texts.because, texts.result, texts.took];
  const digest =
    plan.digest === undefined ? "" : html`<p>${texts.planDigest}: <span class="id">${plan.digest}</span></p>`;
  return html`${section(texts.plan, { columns, rows, empty: texts.noSteps })}${digest}`;
}

function signatures(countersignatures: readonly Countersignature[], texts: PageTexts): Html {
  const rows = countersignatures.map(({ name, user, remark, at, signature }) => {
    const how =
      signature === undefined
        ? html`${texts.noted}`
        : html`${texts.ownKey}<br><span class="id">${signature.keyId}</span>`;
    return html`<tr><td>${name === user ? name : `${name} (${user})`}</td><td class="keep">${remark ?? ""}</td><td class="num">${timeText(at)}</td><td>${how}</td></tr>\n`;
  });
  return html`<h2>${texts.countersignatures}</h2>
${rows.length === 0 ? "" : html`<table>${rows}</table>`}
<div class="sign"><div>${texts.name}</div><div>${texts.date}</div><div>${texts.signHere}</div></div>`;
}

function section(
  title: string,
  table: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly Html[])[];
    readonly empty: string;
  },
): Html {
  if (table.rows.length === 0) return html`<h2>${title}</h2>\n<p class="plain">${table.empty}</p>`;
  const rows = table.rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`);
  return html`<h2>${title}</h2>
<table><tr>${table.columns.map((column) => html`<th>${column}</th>`)}</tr>
${rows}</table>`;
}

/** "Port 8080/tcp" for `port:8080/tcp`. A check that this version does not know by its id keeps its own title. */
function nameOf({ id, title }: Report["preflight"][number], texts: PageTexts): string {
  const [kind = "", what] = id.split(":");
  const name = texts.checks[kind];
  return name === undefined ? title : what === undefined ? name : `${name} ${what}`;
}

const CLASS_OF: Readonly<Record<keyof PageTexts["states"], string>> = {
  pass: "good",
  passed: "good",
  succeeded: "good",
  warn: "care",
  fail: "bad",
  failed: "bad",
  skipped: "plain",
  "not begun": "plain",
};

function stateCell(state: keyof PageTexts["states"], texts: PageTexts): Html {
  return html`<span class="${CLASS_OF[state]}">${texts.states[state]}</span>`;
}

function took(tookMs: number | undefined): string {
  if (tookMs === undefined) return "";
  return tookMs < 1000 ? `${tookMs} ms` : `${(tookMs / 1000).toFixed(1)} s`;
}

/** As the site's clock had it, in UTC. */
function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
