import { setTimeout as sleep } from 'node:timers/promises';
import { actual } from '../cli/lab-lines.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import { barChart } from './chart.ts';
import { curlCommand, type Sender, sendRequest, showCommand, type Target } from './request.ts';
import { proxyStates, type SiteState } from './stats.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

/** Requests for each site, one after another: the servers must answer in turn, in the order of the configuration. */
export const roundrobin: Suite = {
  name: 'roundrobin',
  summary: 'the servers of each site answer in turn',
  run: async (context) => {
    const { balancer } = context.record.topology;
    if (balancer.balance !== 'roundrobin') {
      const skipped = `the balancer's algorithm is ${balancer.balance}`;
      return [{ name: 'roundrobin', ms: 0, skipped }];
    }
    const notUp = await waitForServers(context);
    const results: CaseResult[] = [];
    for (const site of sitesOf(context.record.topology)) results.push(await trySite(site, notUp, context));
    return results;
  },
};

interface TestedSite {
  readonly name: string;
  readonly host?: string;
  /** Web nodes in the order of the configuration. */
  readonly servers: readonly TopologyNode[];
}

const SERVERS_UP_WITHIN_MS = 10_000;

function sitesOf({ balancer, nodes }: Topology): TestedSite[] {
  const webs = nodes.filter((node) => node.role === 'web');
  if (balancer.sites.length === 0) return [{ name: 'every host', servers: webs }];
  return balancer.sites.map(({ host, servers }) => ({
    name: host,
    host,
    servers: servers.flatMap((name) => webs.find((node) => node.name === name) ?? []),
  }));
}

async function trySite(
  site: TestedSite,
  notUp: readonly SiteState[],
  context: SuiteContext,
): Promise<CaseResult> {
  const { requests, say, colours: c } = context;
  const started = performance.now();
  const took = (): number => performance.now() - started;
  const titles = site.servers.map((node) => node.title);
  const same = titles.find((title, i) => titles.indexOf(title) !== i);
  if (same)
    return {
      name: site.name,
      ms: took(),
      skipped: `two servers have the title ${same}: nobody can tell them apart`,
    };

  const { target, sender } = whereTo(site, context);
  say(`roundrobin · ${c.bold(site.name)} · ${requests} requests from ${sender.node}`);
  say(`  ${c.dim(showCommand(curlCommand(target)))}`);
  const sequence: string[] = [];
  let withoutCurl = false;
  for (let i = 0; i < requests; i++) {
    context.signal.throwIfAborted();
    const { status, body, via } = await sendRequest(target, sender);
    withoutCurl ||= via !== 'curl';
    sequence.push(titleIn(body, titles) ?? `status ${status}`);
  }

  const inTurn = countInTurn(sequence, titles);
  if (withoutCurl) say(`  ${c.yellow('curl is not installed: lablb sent the same requests itself')}`);
  say(`  ${sequence.join(' ')}`);
  for (const line of barChart(titles, sequence)) say(`  ${line}`);
  const failure = inTurn === requests ? undefined : account(sequence, titles, inTurn, notUp);
  say(failure ? `${c.red('✖')} ${failure}` : `${c.green('✔')} in turn: ${inTurn} of ${requests}`);
  const command = curlCommand(target);
  return {
    name: site.name,
    ms: took(),
    failure,
    data: { command, from: sender.node, expected: titles, sequence },
  };
}

function whereTo(
  site: TestedSite,
  { record, provider, signal }: SuiteContext,
): { target: Target; sender: Sender } {
  const { topology, desired } = record;
  const proxy = desired.nodes.find((node) => node.role === 'proxy')!;
  const sender = topology.nodes.find((node) => node.role === 'client') ?? proxy;
  const port = actual(proxy, topology.balancer.port);
  const url = `http://${proxy.address}${port === 80 ? '' : `:${port}`}/`;
  return { target: { url, host: site.host }, sender: { provider, node: sender.name, signal } };
}

/**
 * Turns begin when every server takes part: right after the start some may still be waiting for their checks.
 * Hands back the sites that lack servers even after a bounded wait.
 */
async function waitForServers({ record, provider, signal }: SuiteContext): Promise<readonly SiteState[]> {
  const deadline = Date.now() + SERVERS_UP_WITHIN_MS;
  for (;;) {
    const notUp = (await proxyStates(record, provider)).filter(({ up, total }) => up < total);
    if (notUp.length === 0 || Date.now() >= deadline) return notUp;
    await sleep(100, undefined, { signal });
  }
}

/** The title that a page shows, as the pages of web nodes do: `<h1>SITE1 HTTP Server …`. */
export function titleIn(body: string, titles: readonly string[]): string | undefined {
  const heading = /<h1[^>]*>([\s\S]*?)<\/h1>/i.exec(body)?.[1];
  if (heading === undefined) return undefined;
  const text = unescapeHtml(heading).trimStart();
  const fitting = titles.filter((title) => text === title || text.startsWith(`${title} `));
  return fitting.sort((a, b) => b.length - a.length)[0]; // "SITE 1" before "SITE"
}

const HTML_NAMES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** Undoes what a template's escaping does: names of the four characters, others by their hexadecimal number. */
function unescapeHtml(text: string): string {
  return text.replace(/&(?:(amp|lt|gt|quot)|#x([0-9A-Fa-f]{1,5}));/g, (_, name?: string, code?: string) =>
    name ? HTML_NAMES[name]! : String.fromCodePoint(Number.parseInt(code!, 16)),
  );
}

/**
 * How many answers came in turn, counted from the first. Which server begins is free (others may have sent
 * requests before), the order after it is not.
 */
export function countInTurn(sequence: readonly string[], titles: readonly string[]): number {
  const first = titles.indexOf(sequence[0] ?? '');
  if (first < 0) return 0;
  const wrong = sequence.findIndex((title, i) => title !== titles[(first + i) % titles.length]);
  return wrong < 0 ? sequence.length : wrong;
}

function account(
  sequence: readonly string[],
  titles: readonly string[],
  inTurn: number,
  notUp: readonly SiteState[],
): string {
  const got = sequence[inTurn];
  const before = sequence[inTurn - 1];
  const expected =
    before === undefined
      ? `one of ${titles.join(', ')}`
      : titles[(titles.indexOf(before) + 1) % titles.length];
  const turn = `not in turn: answer ${inTurn + 1} was ${got}, expected ${expected}${before ? ` after ${before}` : ''}`;
  const down = notUp.map(({ name, up, total }) => `${name} ${up}/${total}`).join(', ');
  return down ? `${turn}; the balancer has servers down (up: ${down})` : turn;
}
