import { authorityFile } from '../credentials/kept.ts';
import type { Desired, DesiredNode } from '../plan/desired.ts';
import { describe, type Plan } from '../plan/plan.ts';
import type { StepResult } from '../runner/run.ts';
import { plural, quote, seconds } from '../text.ts';
import type { Topology } from '../topology/topology.ts';
import type { Colours } from './colours.ts';
import { table } from './table.ts';

/** A plan with its reasons. */
export function planLines(plan: Plan, c: Colours): string[] {
  if (plan.steps.length === 0) return ['nothing to do'];
  const rows = plan.steps.map(({ node, op, why }) => {
    const as = op.kind === 'create' && op.as.length > 0 ? ` (${op.as.join(', ')})` : '';
    return [node, describe(op) + as, c.dim(`because ${why}`)];
  });
  return [table(rows), `${plural(plan.steps.length, 'step')}; nothing was touched`];
}

/** Address and purpose of a node, as in "127.64.1.9:8080  web, page SITE1". */
export function nodeAbout(desired: Desired, name: string): string {
  const node = desired.nodes.find((one) => one.name === name);
  if (!node) return '';
  if (node.address === undefined) return 'made'; // where it is, the next look will tell
  const places = desired.nodes.map(placeOf);
  return `${placeOf(node).padEnd(Math.max(...places.map((place) => place.length)))}  ${node.about}`;
}

/** The end of `up`: what was done, a line to try, where to go next. */
export function upLines(
  topology: Topology,
  desired: Desired,
  results: readonly StepResult[],
  ms: number,
  c: Colours,
  newPassword?: string,
): string[] {
  if (results.length === 0) return [`${topology.name} is up: nothing to do (${seconds(ms)})`];
  const unfinished = new Set(results.filter(({ state }) => state !== 'done').map(({ step }) => step.node));
  if (unfinished.size > 0) {
    const fine = topology.nodes.filter(({ name }) => !unfinished.has(name)).length;
    const others = fine === 1 ? 'the other node is' : `the other ${fine} nodes are`;
    const rest = fine > 0 ? `${others} up; ` : '';
    return [`  ${rest}run \`lablb up\` again to go on`];
  }
  return [
    `up in ${seconds(ms)}: ${plural(results.length, 'step')} done`,
    '',
    ...lookLines(topology, desired, newPassword).map((line) => `  ${line}`),
    c.dim('  next: lablb test · lablb status · lablb logs NODE · lablb down'),
  ];
}

function lookLines(topology: Topology, desired: Desired, newPassword: string | undefined): string[] {
  const page = statsUrl(topology, desired);
  const { user, password } = topology.balancer.stats ?? {};
  const made = newPassword ? `, password ${newPassword}, shown only now` : '';
  const later = user && password === undefined ? `; later: lablb status --show-password` : '';
  const statistics = page && `statistics: ${page}${user ? `   (user ${user}${made}${later})` : ''}`;
  return [curlLine(topology, desired), digLine(topology, desired), statistics].filter(
    (line) => line !== undefined,
  );
}

/** A request that anyone can repeat. */
export function curlLine(topology: Topology, desired: Desired): string | undefined {
  const proxy = desired.nodes.find((node) => node.role === 'proxy');
  if (!proxy?.address) return undefined;
  const host = topology.balancer.sites[0]?.host;
  const url = siteUrl(topology, proxy, proxy.site?.host ?? proxy.address);
  return url && curl(topology, host ? ['-H', `Host: ${host}`] : [], url);
}

/** The same by the site's name, for a machine whose hosts file has it. */
export function curlByName(topology: Topology, desired: Desired): string | undefined {
  const proxy = desired.nodes.find((node) => node.role === 'proxy');
  const host = topology.balancer.sites[0]?.host ?? proxy?.name;
  const url = proxy && host && siteUrl(topology, proxy, host);
  return url && curl(topology, [], url);
}

/** With the authority to trust where the lab has one of its own. */
function curl(topology: Topology, options: readonly string[], url: string): string {
  const authority = authorityFile(topology);
  const trust = authority === undefined ? [] : ['--cacert', authority];
  return ['curl', ...trust, ...options, url].map(quote).join(' ');
}

/** A question to the first dns node. */
function digLine(topology: Topology, desired: Desired): string | undefined {
  const dns = desired.nodes.find((node) => node.role === 'dns');
  if (!dns?.address) return undefined;
  const port = actual(dns, DNS_PORT);
  const name = topology.balancer.sites[0]?.host ?? topology.nodes.find(({ role }) => role === 'proxy')!.name;
  return `dig @${dns.address}${port === DNS_PORT ? '' : ` -p ${port}`} ${name}`;
}

const DNS_PORT = 53;

/** The statistics page, when there is one. */
export function statsUrl(topology: Topology, desired: Desired): string | undefined {
  const stats = topology.balancer.stats;
  const proxy = desired.nodes.find((node) => node.role === 'proxy');
  if (!stats || !proxy?.address) return undefined;
  return `http://${proxy.address}:${actual(proxy, stats.port)}${stats.uri}`;
}

/** `http://HOST[:PORT]/` of the balancer, or `https://…` where it has TLS; a configuration of one's own may not tell. */
function siteUrl({ balancer }: Topology, proxy: DesiredNode, host: string): string | undefined {
  if (balancer.config && !proxy.site) return undefined;
  const tls = proxy.site ? proxy.site.tls : balancer.tls !== undefined;
  const { scheme, usual } = tls ? { scheme: 'https', usual: 443 } : { scheme: 'http', usual: 80 };
  const port = proxy.site?.port ?? actual(proxy, balancer.tls?.port ?? balancer.port);
  return `${scheme}://${host}${port === usual ? '' : `:${port}`}/`;
}

/** The port in fact for one of the topology. */
export function actual(node: DesiredNode, port: number): number {
  return node.ports.find((mapping) => mapping.port === port)?.actual ?? port;
}

/** `127.64.1.9`, or `127.64.1.9:8080` when the first port is not what the topology says. */
function placeOf(node: DesiredNode): string {
  const first = node.ports[0];
  return `${node.address ?? '?'}${first && first.actual !== first.port ? `:${first.actual}` : ''}`;
}
