import { actual } from '../cli/lab-lines.ts';
import type { DesiredNode } from '../plan/desired.ts';
import { tryCase } from './case.ts';
import { askNames, digCommand, type NameServer, type Names } from './dig.ts';
import { type Sender, showCommand } from './request.ts';
import { proxyOf } from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

/** Every dns node is asked for every name of the lab. */
export const dns: Suite = {
  name: 'dns',
  summary: 'every dns node knows every name of the lab',
  how: 'Each dns node is asked for every host of a site, where the balancer must be the answer, and for every name of a node, over UDP and once over TCP; a name below them that nobody has must be NXDOMAIN. A client that has `nameserver` asks without saying whom.',
  unfit: ({ nodes }) =>
    nodes.some(({ role }) => role === 'dns')
      ? undefined
      : { reason: 'the lab has no dns node', hint: 'nodes: { ns1: { role: dns } }' },
  run: async (context) => {
    const { desired, topology } = context.record;
    const servers = desired.nodes.filter(({ role }) => role === 'dns');
    const results: CaseResult[] = [];
    for (const server of servers) {
      const at = { address: server.address ?? server.name, port: actual(server, DNS_PORT) };
      results.push(await tryServer(server.name, at, askerOf(server, context), context));
    }
    for (const { name, role, nameserver } of topology.nodes)
      if (role === 'client' && nameserver && topology.provider !== 'local')
        results.push(await tryServer(name, undefined, { ...context, node: name }, context));
    return results;
  },
};

const DNS_PORT = 53;

function tryServer(
  name: string,
  server: NameServer | undefined,
  asker: Sender,
  context: SuiteContext,
): Promise<CaseResult> {
  const { say, colours: c } = context;
  const expected = expectedNames(context);
  const names = [...expected.keys()];
  const about = `${names.length} names, asked from ${asker.node}`;
  return tryCase('dns', name, about, context, async () => {
    const command = digCommand(server, names);
    say(`  ${c.dim(showCommand(command))}`);
    const answers = await askNames(server, names, asker);
    if (answers.via !== 'dig') say(`  ${c.yellow('dig is not installed: lablb asked the same itself')}`);
    const byTcp =
      server && answers.via === 'dig' && (await askNames(server, names.slice(0, 1), asker, { tcp: true }));
    // Within the lab's zones, so that nobody else is asked.
    const missing = `nobody.${names[0]}`;
    const nobody = await askNames(server, [missing], asker);
    const wrong = [
      ...wrongNames(expected, answers),
      ...(byTcp ? wrongNames(new Map([...expected].slice(0, 1)), byTcp).map((one) => `${one} over TCP`) : []),
      ...(nobody.status === 'NXDOMAIN' ? [] : [`${missing} is ${nobody.status}, and should be NXDOMAIN`]),
    ];
    return {
      proof: `${names.length} of ${names.length} names; ${missing} is NXDOMAIN`,
      failure: wrong.length === 0 ? undefined : wrong.join('; '),
      data: {
        command,
        from: asker.node,
        names: Object.fromEntries(answers.addresses),
        nobody: nobody.status,
      },
    };
  });
}

/** Asked from where clients are; else from another dns node, so that the question crosses the network. */
function askerOf(server: DesiredNode, context: SuiteContext): Sender {
  const { nodes } = context.record.desired;
  const client = nodes.find(({ role }) => role === 'client');
  const other = nodes.find(({ role, name }) => role === 'dns' && name !== server.name);
  return { provider: context.provider, signal: context.signal, node: (client ?? other ?? server).name };
}

/** Name → address: sites are where the balancer is, other names where their node is. */
function expectedNames(context: SuiteContext): ReadonlyMap<string, string> {
  const { topology, desired } = context.record;
  const hosts = topology.balancer.sites.flatMap(({ host, aliases }) => [host, ...aliases]);
  const balancer = proxyOf(context).address ?? '';
  const sites = new Map(hosts.map((host) => [host.toLowerCase(), balancer]));
  const nodes = topology.nodes.flatMap(({ name, names }) => {
    const address = desired.nodes.find((node) => node.name === name)?.address ?? '';
    // A node keeps its own name, even where a site has the same.
    return names.flatMap((one) =>
      sites.has(one.toLowerCase()) && one !== name ? [] : [[one.toLowerCase(), address] as const],
    );
  });
  return new Map([...sites, ...nodes]);
}

/** What is not as it should be, as clauses. */
function wrongNames(
  expected: ReadonlyMap<string, string>,
  { addresses }: Pick<Names, 'addresses'>,
): string[] {
  return [...expected].flatMap(([name, address]) => {
    const found = addresses.get(name) ?? [];
    if (found.length === 1 && found[0] === address) return [];
    return [`${name} is ${found.join(' and ') || 'not found'}, and should be ${address}`];
  });
}
