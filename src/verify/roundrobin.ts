import { sayCommand, sayWithoutCurl, tryCase } from './case.ts';
import { barChart } from './chart.ts';
import { whoAnswered } from './page.ts';
import { curlCommand, sendRequest } from './request.ts';
import { waitForServers, withServersDown } from './servers-up.ts';
import { senderOf, siteTarget, type TestedSite, testedSites, titlesOf, unfitUnless } from './sites.ts';
import type { SiteState } from './stats.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

/** Requests for each site, one after another: the servers must answer in turn, in the order of the configuration. */
export const roundrobin: Suite = {
  name: 'roundrobin',
  summary: 'the servers of each site answer in turn',
  how: 'Requests for each site, one after another. Which server begins is free; after that each answer must come from the next server in the order of the configuration.',
  unfit: (topology) => unfitUnless('roundrobin', topology),
  run: async (context) => {
    const notUp = await waitForServers(context);
    const results: CaseResult[] = [];
    for (const site of testedSites(context.record.topology))
      if (site.balance === 'roundrobin') results.push(await trySite(site, notUp, context));
    return results;
  },
};

async function trySite(
  site: TestedSite,
  notUp: readonly SiteState[],
  context: SuiteContext,
): Promise<CaseResult> {
  const { requests, say } = context;
  const { titles, same } = titlesOf(site);
  if (same) return { name: site.name, ms: 0, skipped: same };
  const target = siteTarget(site, context);
  const sender = senderOf(context);
  const about = `${requests} requests from ${sender.node}`;
  return tryCase('roundrobin', site.name, about, context, async () => {
    sayCommand(context, target);
    const sequence: string[] = [];
    let withoutCurl = false;
    for (let i = 0; i < requests; i++) {
      context.signal.throwIfAborted();
      const answer = await sendRequest(target, sender);
      withoutCurl ||= answer.via !== 'curl';
      sequence.push(whoAnswered(answer, titles));
    }
    if (withoutCurl) sayWithoutCurl(context);
    say(`  ${sequence.join(' ')}`);
    for (const line of barChart(titles, sequence)) say(`  ${line}`);
    const inTurn = countInTurn(sequence, titles);
    return {
      proof: `in turn: ${inTurn} of ${requests}`,
      failure: inTurn === requests ? undefined : withServersDown(account(sequence, titles, inTurn), notUp),
      data: { command: curlCommand(target), from: sender.node, expected: titles, sequence },
    };
  });
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

function account(sequence: readonly string[], titles: readonly string[], inTurn: number): string {
  const got = sequence[inTurn];
  const before = sequence[inTurn - 1];
  const expected =
    before === undefined
      ? `one of ${titles.join(', ')}`
      : titles[(titles.indexOf(before) + 1) % titles.length];
  return `not in turn: answer ${inTurn + 1} was ${got}, expected ${expected}${before ? ` after ${before}` : ''}`;
}
