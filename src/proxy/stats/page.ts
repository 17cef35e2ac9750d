/** The statistics page in HTML. Every name that a configuration or a server can set is escaped. */
import { hostname } from 'node:os';
import { NAME, VERSION } from '../identity.ts';
import type { ProxySettings } from '../settings.ts';
import { ACTIONS, OUTCOMES } from './actions.ts';
import { html, LEGEND_COLUMNS, PAGE_GROUPS, rowClass, rowName } from './cells.ts';
import { openFileLimit, uptimeText } from './info.ts';
import { rowSettings, type StatRow } from './rows.ts';
import { STYLE } from './style.ts';
import { moment, type StatsContext, viewUri } from './view.ts';

export function renderPage(context: StatsContext, rows: readonly StatRow[]): string {
  const proxies = [...new Set(rows.map(rowSettings))];
  return [
    head(context),
    general(context),
    message(context),
    ...proxies.map((settings) =>
      section(
        context,
        settings,
        rows.filter((row) => rowSettings(row) === settings),
      ),
    ),
    '</body></html>\n',
  ].join('\n');
}

function head({ settings, proxy }: StatsContext): string {
  const node = nodeName({ settings, proxy });
  const version = settings.hideVersion ? '' : ` version ${VERSION}`;
  const description = settings.showDesc || proxy.configuration.global.description;
  const shown = settings.showDesc !== undefined && description ? `: ${html(description)}` : '';
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="iso-8859-1"><title>Statistics Report for ${NAME}${node}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style></head>
<body><h1>${NAME}${version}</h1>
<h2>Statistics Report for pid ${process.pid}${node}${shown}</h2>`;
}

function nodeName({ settings, proxy }: Pick<StatsContext, 'settings' | 'proxy'>): string {
  if (settings.showNode === undefined) return '';
  return ` on ${html(settings.showNode || proxy.configuration.global.node || hostname())}`;
}

function general(context: StatsContext): string {
  const { proxy, nowMs, settings } = context;
  const { totals } = proxy;
  const seconds = Math.max(0, Math.trunc((nowMs - proxy.startedAt) / 1000));
  const facts: [name: string, value: string][] = [
    ['pid', String(process.pid)],
    ['uptime', uptimeText(seconds)],
    ['maxconn', `${proxy.maxconn}; ulimit-n ${openFileLimit()}`],
    ['connections', `${totals.connections} now, ${totals.connectionRate.read(nowMs)} a second`],
    ['requests', `${totals.cumulativeRequests} so far, ${totals.requestRate.read(nowMs)} a second`],
  ];
  const list = facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('');
  return `<div class="general"><section><h3>General process information</h3><dl>${list}</dl></section>
${settings.showLegends ? LEGEND : ''}
${displayOptions(context)}</div>`;
}

/** The colours of server rows, which `stats show-legends` explains. */
const COLOURS: readonly (readonly [className: string, meaning: string])[] = [
  ['active_up', 'active UP'],
  ['backup_up', 'backup UP'],
  ['active_going_down', 'active UP, going down'],
  ['backup_going_down', 'backup UP, going down'],
  ['active_going_up', 'active DOWN, going up'],
  ['backup_going_up', 'backup DOWN, going up'],
  ['active_down', 'active or backup DOWN'],
  ['active_no_check', 'not checked'],
  ['maintain', 'DOWN for maintenance (MAINT)'],
  ['active_draining', 'soft stopped (NOLB, DRAIN)'],
];

const LEGEND = `<section class="legend"><h3>Colours</h3><ul>${COLOURS.map(
  ([className, meaning]) => `<li><span class="${className}"></span>${meaning}</li>`,
).join('')}</ul></section>`;

function displayOptions({ settings, view }: StatsContext): string {
  const uri = (changes: Partial<typeof view>, ...words: string[]): string =>
    html(viewUri(settings.uri, { ...view, ...changes }, ...words));
  const down = view.hideDown
    ? link(uri({ hideDown: false }), 'Show all servers')
    : link(uri({ hideDown: true }), "Hide 'DOWN' servers");
  const refresh = view.noRefresh
    ? link(uri({ noRefresh: false }), 'Enable refresh')
    : link(uri({ noRefresh: true }), 'Disable refresh');
  const plain = { hideDown: false, noRefresh: true };
  return `<section><h3>Display options</h3><ul>
<li><form method="get"><label>Scope: <input name="scope" size="8" maxlength="20" value="${html(view.scope)}"></label></form></li>
<li>${down}</li>
${settings.refresh > 0 ? `<li>${refresh}</li>\n` : ''}<li>${link(uri({}), 'Refresh now')}</li>
<li>${link(uri(plain, 'csv'), 'CSV export')}</li>
<li>${link(uri(plain, 'json'), 'JSON export')} (${link(html(`${settings.uri};json-schema`), 'schema')})</li>
</ul></section>`;
}

function link(escapedUri: string, text: string): string {
  return `<a href="${escapedUri}">${text}</a>`;
}

function message({ settings, view }: StatsContext): string {
  if (view.outcome === undefined) return '';
  const { colour, text } = OUTCOMES[view.outcome];
  const away = link(html(viewUri(settings.uri, view)), '[X]');
  return `<p class="message ${colour}">${away} ${text}</p>`;
}

function section(context: StatsContext, settings: ProxySettings, rows: readonly StatRow[]): string {
  const ticks = context.admin && rows.some((row) => row.kind === 'server');
  const name = html(settings.name);
  const legend = context.settings.showLegends
    ? ` title="cap: ${settings.kind === 'listen' ? 'proxy' : settings.kind}, mode: ${settings.mode}, id: ${settings.id}"`
    : '';
  const description =
    settings.description === undefined ? '' : ` <small>${html(settings.description)}</small>`;
  const table = `<h3 class="proxy" id="${name}"><a href="#${name}"${legend}>${name}</a>${description}</h3>
<table>
${tableHead(ticks)}
<tbody>${rows.map((row) => tableRow(row, context, ticks)).join('\n')}</tbody></table>`;
  return ticks ? `<form method="post">${table}\n${actionForm(settings)}</form>` : table;
}

function tableHead(ticks: boolean): string {
  const groups = PAGE_GROUPS.map((group) => `<th colspan="${group.columns.length}">${group.title}</th>`).join(
    '',
  );
  const columns = PAGE_GROUPS.flatMap((group) =>
    group.columns.map((column) => `<th>${column.title}</th>`),
  ).join('');
  const tick = `<th rowspan="2">${TICK_ALL}</th>`;
  return `<thead><tr>${ticks ? tick : ''}<th rowspan="2"></th>${groups}</tr>\n<tr>${columns}</tr></thead>`;
}

const TICK_ALL =
  '<input type="checkbox" title="All servers" onclick="for (const box of this.form.querySelectorAll(\'[name=s]\')) box.checked = this.checked">';

function tableRow(row: StatRow, context: StatsContext, ticks: boolean): string {
  const at = moment(context);
  const name = html(rowName(row));
  const tick =
    row.kind === 'server' ? `<input type="checkbox" name="s" value="${html(row.object.name)}">` : '';
  const cells = PAGE_GROUPS.flatMap((group) =>
    group.columns.map((column, i) => {
      const { text = '', tip, className = '' } = column.cell(row, at) ?? {};
      const classes = `${i === 0 ? 'first ' : ''}${className}`.trim();
      const body =
        tip === undefined ? text : `<span class="tipped">${text}<span class="tips">${tip}</span></span>`;
      return `<td${classes === '' ? '' : ` class="${classes}"`}>${body}</td>`;
    }),
  ).join('');
  const anchor = `${html(rowSettings(row).name)}/${row.kind === 'listener' ? '+' : ''}${name}`;
  return `<tr class="${rowClass(row)}" id="${anchor}">${ticks ? `<td>${tick}</td>` : ''}<th scope="row"><a href="#${anchor}"${rowTitle(row, context)}>${name}</a></th>${cells}</tr>`;
}

/** Address, number and cookie of what a row is about: for `stats show-legends` only. */
function rowTitle(row: StatRow, context: StatsContext): string {
  if (!context.settings.showLegends) return '';
  const at = moment(context);
  const known = LEGEND_COLUMNS.map(({ label, read }) => [label, read(row, at)] as const).filter(
    ([, value]) => value !== undefined,
  );
  const text = known.map(([label, value]) => `${label}: ${value}`).join(', ');
  return text === '' ? '' : ` title="${html(text)}"`;
}

function actionForm(settings: ProxySettings): string {
  const options = ACTIONS.map(({ keyword, title }) => `<option value="${keyword}">${title}</option>`).join(
    '',
  );
  return `<p class="actions"><label>Choose the action to perform on the checked servers: <select name="action"><option value=""></option>${options}</select></label>
<input type="hidden" name="b" value="#${settings.id}"> <input type="submit" value="Apply"></p>`;
}
