import { actual } from '../cli/lab-lines.ts';
import type { DesiredNode } from '../plan/desired.ts';
import { AUTHORITY_PATH } from '../render/tls-files.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import type { Sender, Target } from './request.ts';
import type { SuiteContext, Unfit } from './suite.ts';

/** A site as it is tested: a host, and the servers that may answer. */
export interface TestedSite {
  readonly name: string;
  /** None: every host reaches every server. */
  readonly host?: string;
  readonly aliases: readonly string[];
  /** How a server is chosen. */
  readonly balance: string;
  /** Web nodes in the order of the configuration. */
  readonly servers: readonly TopologyNode[];
}

/** The sites of the topology; where it names none, one that stands for every host. */
export function testedSites({ balancer, nodes }: Topology): TestedSite[] {
  const webs = nodes.filter((node) => node.role === 'web');
  if (balancer.sites.length === 0)
    return [{ name: 'every host', aliases: [], balance: balancer.balance, servers: webs }];
  return balancer.sites.map(({ host, aliases, servers, balance }) => ({
    name: host,
    host,
    aliases,
    balance: balance ?? balancer.balance,
    servers: servers.flatMap((name) => webs.find((node) => node.name === name) ?? []),
  }));
}

/** Of a configuration of the user's own nobody but its sites in the topology tells what it should do. */
export function unknownSites({ balancer }: Topology): Unfit | undefined {
  if (!balancer.config || balancer.sites.length > 0) return undefined;
  return {
    reason: 'the configuration is your own, and the topology does not say what it should do',
    hint: 'name hosts and servers in balancer.sites',
  };
}

/** Of a configuration of the user's own lablb does not know what it should do beside sites. */
export function unknownConfiguration({ balancer }: Pick<Topology, 'balancer'>): Unfit | undefined {
  if (!balancer.config) return undefined;
  return { reason: 'the configuration is your own: lablb does not know what it should do' };
}

/** Why no site is tested that balances so. */
export function unfitUnless(balance: string, topology: Topology): Unfit | undefined {
  const sites = testedSites(topology);
  if (sites.some((site) => site.balance === balance)) return unknownSites(topology);
  const others = [...new Set(sites.map((site) => site.balance))].join(', ');
  return { reason: `the balancer's algorithm is ${others}`, hint: `balancer.balance: ${balance}` };
}

/** The titles of the servers' pages; nothing when two have the same, for then nobody can tell them apart. */
export function titlesOf({ servers }: TestedSite): { titles: readonly string[]; same?: string } {
  const titles = servers.map((node) => node.title);
  const same = titles.find((title, i) => titles.indexOf(title) !== i);
  return { titles, same: same && `two servers have the title ${same}: nobody can tell them apart` };
}

/** The node that balances. Of several, the first: the others have the same configuration. */
export function proxyOf({ record }: SuiteContext): DesiredNode {
  return record.desired.nodes.find((node) => node.role === 'proxy')!;
}

/**
 * Where requests are sent from: a client node, else the proxy itself, for not every lab can be reached from this
 * machine (a host cannot talk to its own macvlan containers).
 */
export function senderOf(context: SuiteContext): Sender {
  const client = context.record.topology.nodes.find((node) => node.role === 'client');
  const { provider, signal } = context;
  return { provider, node: (client ?? proxyOf(context)).name, signal };
}

/** `http://ADDRESS[:PORT]PATH` of the lab's balancer; `https://…` where HTTP only leads there. */
export function labUrl(context: SuiteContext, path = '/'): string {
  const { tls } = context.record.topology.balancer;
  return tls?.redirect ? httpsUrl(context, path) : httpUrl(context, path);
}

export function httpUrl(context: SuiteContext, path = '/'): string {
  const proxy = proxyOf(context);
  const own = proxy.site?.tls ? undefined : proxy.site;
  const port = own?.port ?? actual(proxy, context.record.topology.balancer.port);
  return `http://${own?.host ?? proxy.address}${port === 80 ? '' : `:${port}`}${path}`;
}

/** Of a lab with TLS. */
export function httpsUrl(context: SuiteContext, path = '/'): string {
  const proxy = proxyOf(context);
  const port = actual(proxy, context.record.topology.balancer.tls!.port);
  return `https://${proxy.address}${port === 443 ? '' : `:${port}`}${path}`;
}

/** A request to the balancer, with the authority that its certificate is of. */
export function labTarget(context: SuiteContext, path = '/', host?: string): Target {
  const url = labUrl(context, path);
  return { url, host, authority: url.startsWith('https:') ? authorityOn(context) : undefined };
}

export function siteTarget({ host }: TestedSite, context: SuiteContext, path = '/'): Target {
  return labTarget(context, path, host);
}

/** File on the sending node of the authority to trust, as a path of its own processes. */
export function authorityOn(context: SuiteContext): string | undefined {
  const { desired } = context.record;
  const node = desired.nodes.find(({ name }) => name === senderOf(context).node);
  const has = node?.files.some(({ path }) => path === AUTHORITY_PATH);
  return has ? node!.root + AUTHORITY_PATH : undefined;
}
