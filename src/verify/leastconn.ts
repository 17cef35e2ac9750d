import { sayCommand, tryCase } from './case.ts';
import { type TestedSite, testedSites, unknownSites } from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';
import { sayTwin, type Twin, withTwin } from './twin.ts';

const NAME = 'leastconn';
/** Slow requests at a time; one server at least stays free. */
const HELD = 3;

/** A server that is busy gets nothing more while another is free. */
export const leastconn: Suite = {
  name: NAME,
  summary: 'requests go to the server with the fewest connections',
  how: 'On a twin. Slow requests are sent until all servers but one are busy with one (four servers or more: three of them); each must get a server of its own. Every quick request after that must go to a server that is free. Where the site balances otherwise, the twin has `balance leastconn` in its place.',
  unfit: (topology) => {
    const enough = testedSites(topology).some(({ servers }) => servers.length > 1);
    return enough ? unknownSites(topology) : { reason: 'no site has two servers' };
  },
  run: async (context) => {
    const sites = testedSites(context.record.topology);
    const results: CaseResult[] = sites
      .filter(isAlone)
      .map(({ name }) => ({ name, ms: 0, skipped: 'it has one server' }));
    for (const own of [true, false]) {
      const group = sites.filter((site) => !isAlone(site) && (site.balance === NAME) === own);
      if (group.length > 0) results.push(...(await tryGroup(group, own, context)));
    }
    return results;
  },
};

const isAlone = ({ servers }: TestedSite): boolean => servers.length < 2;

/** Sites that balance so themselves, or those that do not. */
function tryGroup(group: readonly TestedSite[], own: boolean, context: SuiteContext): Promise<CaseResult[]> {
  return withTwin(context, own ? {} : { balance: NAME }, async (twin) => {
    sayTwin(NAME, context, twin, own ? undefined : `'balance ${NAME}'`);
    const results: CaseResult[] = [];
    for (const site of group) results.push(await trySite(site, twin, context));
    return results;
  });
}

function trySite(
  { name, host, servers }: TestedSite,
  twin: Twin,
  context: SuiteContext,
): Promise<CaseResult> {
  const slow = Math.min(servers.length - 1, HELD);
  const about = `${slow} slow and ${context.requests} quick requests`;
  return tryCase(NAME, name, about, context, async () => {
    const target = twin.target({ host });
    sayCommand(context, target);
    const busy: string[] = [];
    for (let i = 0; i < slow; i++) busy.push(await twin.hold(target));
    context.say(`  slow:  ${busy.map(shortName).join(' ')}`);
    const quick = await quickAnswers(twin, host, context);
    context.say(`  quick: ${quick.map(shortName).join(' ')}`);
    return {
      proof: `${quick.length} of ${quick.length} went past ${busy.map(shortName).join(', ')}, which ${busy.length === 1 ? 'was' : 'were'} busy`,
      failure: account(busy, quick),
      data: { program: twin.program, node: twin.node, busy, quick },
    };
  });
}

async function quickAnswers(
  twin: Twin,
  host: string | undefined,
  { requests, signal }: SuiteContext,
): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < requests; i++) {
    signal.throwIfAborted();
    answers.push((await twin.echo(twin.target({ host }))).server);
  }
  return answers;
}

/** What is wrong: two slow requests on one server, or a quick one on a busy server. */
export function account(busy: readonly string[], quick: readonly string[]): string | undefined {
  const twice = busy.find((server, i) => busy.indexOf(server) !== i);
  if (twice)
    return `not the fewest connections: ${twice} got a second slow request while another server was free`;
  const wrong = quick.findIndex((server) => busy.includes(server));
  if (wrong < 0) return undefined;
  return `not the fewest connections: quick request ${wrong + 1} went to ${quick[wrong]}, which was busy, while another server was free`;
}

function shortName(server: string): string {
  return server.slice(server.indexOf('/') + 1);
}
