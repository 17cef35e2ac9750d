import { LabError } from '../errors.ts';
import { sayCommand, tryCase } from './case.ts';
import { whoAnswered } from './page.ts';
import { type Answer, sendRequest, type Target } from './request.ts';
import { waitForServers, withServersDown } from './servers-up.ts';
import { proxyOf, siteTarget, type TestedSite, testedSites, titlesOf, unknownSites } from './sites.ts';
import type { SiteState } from './stats.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';
import { sayTwin, withTwin } from './twin.ts';

const NAME = 'source';
/** Clients, and requests of each in a row and then again: enough for any other way to be found out. */
const CLIENTS = 8;
const IN_A_ROW = 2;
/** curl could not send from that address: systems other than Linux have 127.0.0.1 alone. */
const NO_SUCH_INTERFACE = 45;

/** One client stays with one server; several clients spread. */
export const source: Suite = {
  name: NAME,
  summary: 'each client stays with one server, and clients spread over the servers',
  how: 'Requests from several addresses of the proxy node (127.0.0.1, 127.0.0.2 …): some of each in a row, then one of each again. All of one address must come from one server, and not all addresses may have the same. On the lab’s own balancer where the site has `balance source`, else on a twin with it.',
  unfit: (topology) => {
    const enough = testedSites(topology).some(({ servers }) => servers.length > 1);
    return enough ? unknownSites(topology) : { reason: 'no site has two servers' };
  },
  run: async (context) => {
    const notUp = await waitForServers(context);
    const sites = testedSites(context.record.topology);
    const own = sites.filter(({ balance }) => balance === NAME);
    const others = sites.filter(({ balance }) => balance !== NAME);
    const results: CaseResult[] = [];
    const { provider, signal } = context;
    const sender = { provider, node: proxyOf(context).name, signal };
    for (const site of own)
      results.push(
        await trySite(
          site,
          siteTarget(site, context),
          (target) => sendRequest(target, sender),
          notUp,
          context,
        ),
      );
    if (others.length === 0) return results;
    return withTwin(context, { balance: NAME }, async (twin) => {
      sayTwin(NAME, context, twin, `'balance ${NAME}'`);
      for (const site of others)
        results.push(await trySite(site, twin.target({ host: site.host }), twin.send, notUp, context));
      return results;
    });
  },
};

async function trySite(
  site: TestedSite,
  target: Target,
  send: (target: Target) => Promise<Answer>,
  notUp: readonly SiteState[],
  context: SuiteContext,
): Promise<CaseResult> {
  const { name, servers } = site;
  const { titles, same } = titlesOf(site);
  const skipped = same ?? (servers.length < 2 ? 'it has one server' : undefined);
  if (skipped) return { name, ms: 0, skipped };
  return tryCase(NAME, name, `${CLIENTS} clients on ${proxyOf(context).name}`, context, async () => {
    sayCommand(context, { ...target, from: address(1) });
    const answers = await ask(async (from) => whoAnswered(await send({ ...target, from }), titles), context);
    for (const [from, sequence] of answers) context.say(`  ${from}  ${sequence.join(' ')}`);
    const wrong = account(answers, titles);
    return {
      proof: `each of ${answers.size} clients stayed with its server: ${spread(answers)}`,
      failure: wrong && withServersDown(wrong, notUp),
      data: { own: site.balance === NAME, answers: Object.fromEntries(answers) },
    };
  });
}

const address = (n: number): string => `127.0.0.${n}`;

/** Answers by client. */
async function ask(
  who: (from: string) => Promise<string>,
  { signal }: SuiteContext,
): Promise<Map<string, string[]>> {
  const answers = new Map<string, string[]>();
  for (const round of [IN_A_ROW, 1]) {
    for (let n = 1; n <= CLIENTS; n++) {
      for (let i = 0; i < round; i++) {
        signal.throwIfAborted();
        const answer = await who(address(n)).catch((error) => {
          if (n > 1 && error instanceof LabError && error.fields.exitStatus === NO_SUCH_INTERFACE)
            return undefined;
          throw error;
        });
        if (answer !== undefined) answers.set(address(n), [...(answers.get(address(n)) ?? []), answer]);
      }
    }
  }
  return answers;
}

/** What is wrong: a client with two servers, an answer that is no server's, or all clients on one server. */
export function account(
  answers: ReadonlyMap<string, readonly string[]>,
  titles: readonly string[],
): string | undefined {
  for (const [from, sequence] of answers) {
    const strange = sequence.find((title) => !titles.includes(title));
    if (strange) return `the client ${from} got ${strange}, expected one of ${titles.join(', ')}`;
    const other = sequence.find((title) => title !== sequence[0]);
    if (other) return `the client ${from} did not stay: ${sequence[0]}, then ${other}`;
  }
  const used = new Set([...answers.values()].map(([first]) => first));
  if (answers.size > 1 && used.size === 1)
    return `the clients do not spread: all ${answers.size} have ${[...used][0]}`;
  return undefined;
}

function spread(answers: ReadonlyMap<string, readonly string[]>): string {
  const firsts = [...answers.values()].map(([first]) => first!);
  const counts = [...new Set(firsts)].map(
    (title) => `${title} has ${firsts.filter((one) => one === title).length}`,
  );
  return counts.join(', ');
}
