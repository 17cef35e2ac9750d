import { isUp, ROW, readStats } from '../balancer/csv.ts';
import { statsAuth } from '../balancer/stats-page.ts';
import { statsUrl } from '../cli/lab-lines.ts';
import { type Finding, tryCase } from './case.ts';
import { curlFailure, type Exchange, exchange } from './exchange.ts';
import { sendRequest, showCommand } from './request.ts';
import { senderOf, siteTarget, testedSites, unknownConfiguration } from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

const NAME = 'stats';

/** The statistics page asks for its password, counts, and lets nobody change anything who may not. */
export const statistics: Suite = {
  name: NAME,
  summary: 'the statistics page asks for its password, counts requests, and changes nothing unless it may',
  how: 'The page without and with its password (401 and the realm; 200 and the time after which it reloads itself). Its CSV before and after some requests for each site: the totals of the servers must grow by them at least. Last, the form that makes a server ready: refused unless `admin` is set.',
  unfit: ({ balancer }) =>
    balancer.stats
      ? unknownConfiguration({ balancer })
      : { reason: 'there is no statistics page', hint: 'balancer.stats: true' },
  run: async (context) => {
    const attempts = [
      ...(context.record.topology.balancer.stats!.user ? [tryWithoutPassword] : []),
      tryPage,
      tryTotals,
      tryAdmin,
    ];
    const results: CaseResult[] = [];
    for (const attempt of attempts) results.push(await attempt(context));
    return results;
  },
};

function tryWithoutPassword(context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, 'without password', '', context, async () => {
    const { realm } = context.record.topology.balancer.stats!;
    const seen = await ask(context, '', [], { anonymous: true });
    const challenge = seen.headers.get('www-authenticate');
    const expected = `Basic realm="${realm}"`;
    const failure =
      seen.status !== 401
        ? account(seen, 401)
        : challenge === expected
          ? undefined
          : `the challenge is ${challenge}, and should be ${expected}`;
    return { proof: `401, ${challenge}`, failure, data: { status: seen.status, challenge } };
  });
}

function tryPage(context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, 'page', '', context, async () => {
    const { refresh } = context.record.topology.balancer.stats!;
    const seen = await ask(context);
    const again = seen.headers.get('refresh');
    const expected = refresh > 0 ? String(refresh) : undefined;
    const failure =
      seen.status !== 200
        ? account(seen, 200)
        : !/<html/i.test(seen.body)
          ? 'it is no page'
          : again === expected
            ? undefined
            : `it reloads itself after ${again ?? 'no time'}, and should after ${expected ?? 'none'}`;
    const reloads = again === undefined ? '' : `, reloads itself after ${again} s`;
    return { proof: `200${reloads}`, failure, data: { status: seen.status, refresh: again } };
  });
}

function tryTotals(context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, 'totals', `${context.requests} requests for each site`, context, async () => {
    const before = await totals(context);
    let sent = 0;
    for (const site of testedSites(context.record.topology))
      for (let i = 0; i < context.requests; i++, sent++) {
        context.signal.throwIfAborted();
        await sendRequest(siteTarget(site, context), senderOf(context));
      }
    const after = await totals(context);
    if (before === undefined || after === undefined)
      return { proof: '', failure: 'the CSV has no rows of servers' };
    const grown = after - before;
    return {
      proof: `the servers' totals grew from ${before} to ${after}`,
      failure: grown >= sent ? undefined : `after ${sent} requests the servers' totals grew by ${grown} only`,
      data: { before, after, sent },
    };
  });
}

/** Sessions of all servers so far. */
async function totals(context: SuiteContext): Promise<number | undefined> {
  const seen = await ask(context, ';csv');
  const servers = readStats(seen.body).filter(({ type }) => type === ROW.server);
  return servers.length === 0 ? undefined : servers.reduce((sum, { stot }) => sum + Number(stot), 0);
}

async function tryAdmin(context: SuiteContext): Promise<CaseResult> {
  const { admin } = context.record.topology.balancer.stats!;
  return tryCase(NAME, 'changes', admin ? 'permitted' : 'refused', context, async (): Promise<Finding> => {
    const csv = await ask(context, ';csv');
    const server = readStats(csv.body).find((row) => row.type === ROW.server && isUp(row));
    if (!server) return { proof: '', failure: 'no server is up whose state could be asked for' };
    // Ready it is already: who may do it changes nothing either.
    const form = `s=${encodeURIComponent(server.svname!)}&action=ready&b=${encodeURIComponent(server.pxname!)}`;
    const seen = await ask(context, '', ['--data', form]);
    const said = /;st=(\w+)/.exec(seen.headers.get('location') ?? '')?.[1];
    const data = { status: seen.status, said };
    if (admin)
      return {
        proof: `permitted (${said})`,
        failure: said === 'DONE' || said === 'NONE' ? undefined : refusedOr(seen, said),
        data,
      };
    return {
      proof: 'refused',
      failure: said === 'DENY' || seen.status === 403 ? undefined : `not refused: ${refusedOr(seen, said)}`,
      data,
    };
  });
}

function refusedOr(seen: Exchange, said: string | undefined): string {
  return `status ${seen.status}${said ? `, ${said}` : ''}`;
}

function account(seen: Exchange, expected: number): string {
  return seen.exitStatus === 0 ? `status ${seen.status}, and should be ${expected}` : curlFailure(seen);
}

/** Asks the page, with its password unless that is what is tried. Shown as it is typed: curl asks for the password. */
async function ask(
  context: SuiteContext,
  suffix = '',
  options: readonly string[] = [],
  { anonymous = false } = {},
): Promise<Exchange> {
  const { topology, desired } = context.record;
  const auth = anonymous ? undefined : statsAuth(topology);
  const user = auth === undefined ? [] : ['-u', topology.balancer.stats!.user!];
  const command = ['curl', '-s', ...options, `${statsUrl(topology, desired)}${suffix}`];
  context.say(`  ${context.colours.dim(showCommand(['curl', '-s', ...user, ...command.slice(2)]))}`);
  return exchange(command, senderOf(context), { auth });
}
