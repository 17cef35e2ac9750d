import { actual } from '../cli/lab-lines.ts';
import { tryCase } from './case.ts';
import { curlFailure, exchange } from './exchange.ts';
import { whoAnswered } from './page.ts';
import { showCommand } from './request.ts';
import { waitForServers } from './servers-up.ts';
import {
  authorityOn,
  httpsUrl,
  httpUrl,
  proxyOf,
  senderOf,
  type TestedSite,
  testedSites,
  titlesOf,
  unknownConfiguration,
} from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

const NAME = 'redirect';
/** A page that nobody has: the redirect must come before anyone is asked, and keep all of it. */
const PAGE = '/lablb/redirect?from=http&n=1';
const REDIRECTS = [301, 302, 303, 307, 308];

/** Who asks over HTTP is sent to the same page over HTTPS, and arrives. */
export const redirect: Suite = {
  name: NAME,
  summary: 'who asks over HTTP is sent to the same page over HTTPS, and arrives there',
  how: 'For each site a request over HTTP: the answer must be a redirect, and its `Location` the same host, path and query over HTTPS, with the port of HTTPS where that is not 443. Then `curl -L --cacert` from HTTP on: one of the site’s servers must answer, over HTTPS.',
  unfit: ({ balancer }) =>
    balancer.tls?.redirect
      ? unknownConfiguration({ balancer })
      : { reason: 'HTTP is not led to HTTPS', hint: 'balancer.tls: { redirect: true }' },
  run: async (context) => {
    await waitForServers(context);
    const results: CaseResult[] = [];
    for (const site of testedSites(context.record.topology)) {
      results.push(await tryLocation(site, context), await tryFollowing(site, context));
    }
    return results;
  },
};

function tryLocation(site: TestedSite, context: SuiteContext): Promise<CaseResult> {
  const host = site.host ?? proxyOf(context).name;
  return tryCase(NAME, site.name, 'where it leads', context, async () => {
    const port = actual(proxyOf(context), context.record.topology.balancer.port);
    // As clients send it: with the port, where it is not the usual one.
    const said = port === 80 ? host : `${host}:${port}`;
    const command = ['curl', '-s', '-H', `Host: ${said}`, httpUrl(context, PAGE)];
    context.say(`  ${context.colours.dim(showCommand(command))}`);
    const seen = await exchange(command, senderOf(context));
    const location = seen.headers.get('location');
    const expected = httpsUrl(context, PAGE).replace(`//${proxyOf(context).address}`, `//${host}`);
    const data = { command, status: seen.status, location, expected };
    if (seen.exitStatus !== 0) return { proof: '', failure: curlFailure(seen), data };
    if (!REDIRECTS.includes(seen.status))
      return { proof: '', failure: `status ${seen.status}, and no redirect`, data };
    const failure = location === expected ? undefined : `it leads to ${location}, and should to ${expected}`;
    return { proof: `${seen.status} to ${location}`, failure, data };
  });
}

function tryFollowing(site: TestedSite, context: SuiteContext): Promise<CaseResult> {
  const proxy = proxyOf(context);
  const host = site.host ?? proxy.name;
  return tryCase(NAME, `${site.name}, followed`, 'from HTTP on', context, async () => {
    const { balancer } = context.record.topology;
    const authority = authorityOn(context);
    const command = [
      'curl',
      '-sL',
      ...(authority ? ['--cacert', authority] : []),
      ...[balancer.port, balancer.tls!.port].flatMap((port) => [
        '--resolve',
        `${host}:${actual(proxy, port)}:${proxy.address}`,
      ]),
      httpUrl(context).replace(`//${proxy.address}`, `//${host}`),
    ];
    context.say(`  ${context.colours.dim(showCommand(command))}`);
    const seen = await exchange(command, senderOf(context));
    const { titles } = titlesOf(site);
    const who = whoAnswered(seen, titles);
    const data = { command, url: seen.url, answered: who };
    if (seen.exitStatus !== 0) return { proof: '', failure: curlFailure(seen), data };
    if (!seen.url.startsWith('https:')) return { proof: '', failure: `it ended at ${seen.url}`, data };
    const failure = titles.includes(who)
      ? undefined
      : `${seen.url} answered with ${who}, none of ${titles.join(', ')}`;
    return { proof: `${who} answered at ${seen.url}`, failure, data };
  });
}
