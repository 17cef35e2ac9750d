import { actual } from '../cli/lab-lines.ts';
import type { DesiredNode } from '../plan/desired.ts';
import { type Finding, tryCase } from './case.ts';
import { whoAnswered } from './page.ts';
import { showCommand } from './request.ts';
import { LOOPBACK, type SideBalancer, withSideBalancer } from './side-balancer.ts';
import { titlesOf } from './sites.ts';
import type { Suite, SuiteContext } from './suite.ts';

const NAME = 'l4';
/** Requests on one connection. */
const ON_ONE = 3;
const BETWEEN = '\n=== lablb ===\n';

/** At layer 4 it is connections that are balanced, not requests. */
export const l4: Suite = {
  name: NAME,
  summary: 'in mode tcp connections are balanced, not requests',
  how: 'On a balancer of its own for the test: the lab’s program on its proxy node, in mode tcp, with every web server of the lab behind it. New connections must get the servers in turn; all requests of one connection must stay with one.',
  unfit: ({ nodes }) => {
    const servers = nodes.filter(({ role }) => role === 'web');
    if (servers.length < 2) return { reason: 'there is one web server' };
    const { same } = titlesOf({ name: '', aliases: [], balance: '', servers });
    return same ? { reason: same } : undefined;
  },
  run: async (context) => [
    await tryCase(NAME, 'connections', `the web servers through mode tcp`, context, () =>
      withSideBalancer(context, configuration(context), (balancer) => prove(balancer, context)),
    ),
  ],
};

function websOf({ record }: SuiteContext): DesiredNode[] {
  return record.desired.nodes.filter(({ role }) => role === 'web');
}

function configuration(context: SuiteContext) {
  const ports = new Map(context.record.topology.nodes.map(({ name, port }) => [name, port]));
  const servers = websOf(context).map(
    (web) => `    server ${web.name} ${web.address}:${actual(web, ports.get(web.name)!)}`,
  );
  return {
    ports: ['l4'],
    text: (port: (name: string) => number) => `
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s

listen l4
    bind ${LOOPBACK}:${port('l4')}
    balance roundrobin
${servers.join('\n')}
`,
  };
}

async function prove({ node, program, port }: SideBalancer, context: SuiteContext): Promise<Finding> {
  const titles = websOf(context).map(
    ({ name }) => context.record.topology.nodes.find((one) => one.name === name)!.title,
  );
  const url = `http://${LOOPBACK}:${port('l4')}/`;
  context.say(context.colours.dim(`  on a ${program} of its own on ${node}: mode tcp, balance roundrobin`));
  context.say(`  ${context.colours.dim(showCommand(['curl', '-s', ...Array<string>(ON_ONE).fill(url)]))}`);
  const connections: string[][] = [];
  // One turn of the servers, and one more.
  for (let i = 0; i < titles.length * 2; i++) {
    const answers = await askOnOneConnection(url, node, context);
    const sequence = answers.map((answer) => (answer.status === 0 ? 'nothing' : whoAnswered(answer, titles)));
    connections.push(sequence);
    context.say(`  connection ${i + 1}: ${sequence.join(' ')}`);
  }
  return {
    proof: `${connections.length} connections in turn, ${ON_ONE} requests on each`,
    failure: account(connections, titles),
    data: { program, node, connections },
  };
}

/** curl uses a connection again for the next request of one command. */
async function askOnOneConnection(
  url: string,
  node: string,
  { provider, signal }: SuiteContext,
): Promise<{ status: number; body: string }[]> {
  const urls = Array<string>(ON_ONE).fill(url);
  const argv = ['curl', '-s', '--max-time', '10', '--noproxy', '*', '-w', `%{http_code}${BETWEEN}`, ...urls];
  const { stdout } = await provider.exec(node, argv, { signal });
  const parts = stdout.split(BETWEEN).slice(0, -1);
  return parts.map((part) => ({ status: Number(part.slice(-3)), body: part.slice(0, -3) }));
}

/** What is wrong: a connection with two servers, or connections that are not in turn. */
export function account(
  connections: readonly (readonly string[])[],
  titles: readonly string[],
): string | undefined {
  for (const [i, sequence] of connections.entries()) {
    const strange = sequence.find((title) => !titles.includes(title));
    if (strange || sequence.length < ON_ONE)
      return `connection ${i + 1} got ${strange ?? 'nothing'}, expected ${ON_ONE} times one of ${titles.join(', ')}`;
    const other = sequence.find((title) => title !== sequence[0]);
    if (other) return `connection ${i + 1} did not stay with ${sequence[0]}: ${other} answered too`;
    const before = connections[i - 1]?.[0];
    const next = before && titles[(titles.indexOf(before) + 1) % titles.length];
    if (next && sequence[0] !== next)
      return `not in turn: connection ${i + 1} had ${sequence[0]}, expected ${next} after ${before}`;
  }
  return undefined;
}
