import { pad } from '../cli/table.ts';
import type { StaticFiles } from '../topology/topology.ts';
import { sayCommand, sayWithoutCurl, tryCase } from './case.ts';
import { whoAnswered } from './page.ts';
import { curlCommand, sendRequest, type Target } from './request.ts';
import { waitForServers, withServersDown } from './servers-up.ts';
import {
  labTarget,
  labUrl,
  senderOf,
  type TestedSite,
  testedSites,
  titlesOf,
  unknownSites,
} from './sites.ts';
import type { SiteState } from './stats.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';
import { type Echo, sayTwin, type Twin, withTwin } from './twin.ts';
import { skipped, unfitOf } from './unfit.ts';

const NAME = 'acl';
/** A host that no site has (RFC 2606). */
const NOBODY = 'nobody.invalid';

/** The backend for files. */
const STATIC = 'static_files';

/** The host of a request decides which site answers; its path, on the frontend for files, whether it is for a file. */
export const acl: Suite = {
  name: NAME,
  summary: 'the host of a request decides which site answers, its path whether it is for a file',
  how: 'Each site is asked for by all its names, in upper case too, and with the port where it is not 80: on the lab’s own balancer, where one of the site’s servers must answer, and on a twin, which tells the backend that was chosen. A host that no site has must get status 503. Where the topology has `balancer.static`, paths of files must reach its backend and others must not.',
  unfit: (topology) =>
    unknownSites(topology) ??
    (topology.balancer.sites.length > 0 || topology.balancer.static
      ? undefined
      : { reason: 'every host reaches the same servers', hint: 'name sites in balancer.sites' }),
  run: async (context) => {
    const { topology } = context.record;
    const { sites, config, static: files } = topology.balancer;
    const notUp = await waitForServers(context);
    const results: CaseResult[] = [];
    if (sites.length > 0) {
      for (const site of testedSites(topology)) results.push(await trySite(site, notUp, context));
      if (!config) results.push(await tryNobody(context));
    }
    if (config) return results;
    return withTwin(context, {}, async (twin) => {
      sayTwin(NAME, context, twin);
      if (sites.length > 0) results.push(await tryBackends(twin, context));
      if (files) results.push(await tryPaths(files, twin, context));
      return results;
    }).catch((error) => withoutTwin(results, error));
  },
};

function trySite(site: TestedSite, notUp: readonly SiteState[], context: SuiteContext): Promise<CaseResult> {
  const sender = senderOf(context);
  return tryCase(NAME, site.name, `every way to say its name, from ${sender.node}`, context, async () => {
    const { titles } = titlesOf(site);
    const hosts = waysToSay(site, context);
    const width = Math.max(...hosts.map((host) => host.length));
    sayCommand(context, labTarget(context, '/', hosts[0]));
    const answers: Record<string, string> = {};
    let withoutCurl = false;
    for (const host of hosts) {
      const answer = await sendRequest(labTarget(context, '/', host), sender);
      withoutCurl ||= answer.via !== 'curl';
      answers[host] = whoAnswered(answer, titles);
      context.say(`  ${pad(host, width)}  ${answers[host]}`);
    }
    if (withoutCurl) sayWithoutCurl(context);
    const wrong = hosts.find((host) => !titles.includes(answers[host]!));
    const account = `Host: ${wrong} got ${answers[wrong ?? '']}, expected one of ${titles.join(', ')}`;
    return {
      proof: `${hosts.length} of ${hosts.length} reach its servers`,
      failure: wrong && withServersDown(account, notUp),
      data: { from: sender.node, answers },
    };
  });
}

function tryNobody(context: SuiteContext): Promise<CaseResult> {
  const sender = senderOf(context);
  return tryCase(NAME, 'a host that no site has', `from ${sender.node}`, context, async () => {
    const target = labTarget(context, '/', NOBODY);
    sayCommand(context, target);
    const { status } = await sendRequest(target, sender);
    return {
      proof: 'status 503: no backend is for it',
      failure: status === 503 ? undefined : `it got status ${status}, expected 503`,
      data: { command: curlCommand(target), from: sender.node, status },
    };
  });
}

/** Sites may share servers: the backend itself only a twin tells. */
function tryBackends(twin: Twin, context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, 'backends', 'which one is chosen', context, async () => {
    const { sites } = context.record.topology.balancer;
    const wanted = testedSites(context.record.topology).flatMap((site, i) =>
      waysToSay(site, context).map((host) => ({ host, backend: sites[i]!.id })),
    );
    const targets = wanted.map(({ host }) => [host, twin.target({ host })] as const);
    const chosen = await chosenBackends(targets, twin, context);
    const wrong = wanted.find(({ host, backend }) => chosen.get(host) !== backend);
    return {
      proof: `${wanted.length} of ${wanted.length} have the backend of their site`,
      failure:
        wrong && `Host: ${wrong.host} has backend ${chosen.get(wrong.host)}, expected ${wrong.backend}`,
      data: { program: twin.program, node: twin.node, chosen: Object.fromEntries(chosen) },
    };
  });
}

/** Paths decide on the frontend for files. */
function tryPaths(
  { port, begins, ends }: StaticFiles,
  twin: Twin,
  context: SuiteContext,
): Promise<CaseResult> {
  return tryCase(NAME, 'paths', `on the frontend for files, port ${port}`, context, async () => {
    const host = context.record.topology.balancer.sites[0]?.host;
    const files = [
      ...begins.flatMap((path) => [path, `${path.toUpperCase()}/page`]),
      ...ends.flatMap((end) => [`/file${end}`, `/folder/FILE${end.toUpperCase()}`]),
    ];
    const others = ['/', '/page', ...begins.map((path) => `/other${path}`)];
    const targets = [...files, ...others].map(
      (path) => [path, twin.target({ host, path, at: port })] as const,
    );
    const chosen = await chosenBackends(targets, twin, context);
    const missed = files.find((path) => chosen.get(path) !== STATIC);
    const caught = others.find((path) => chosen.get(path) === STATIC);
    return {
      proof: `${files.length} paths of files reach ${STATIC}, ${others.length} others do not`,
      failure: missed
        ? `${missed} has backend ${chosen.get(missed)}, expected ${STATIC}`
        : caught && `${caught} has backend ${STATIC}, expected that of the site`,
      data: { program: twin.program, node: twin.node, chosen: Object.fromEntries(chosen) },
    };
  });
}

/** The backend that each request gets, by the request's name; shown as they come. */
async function chosenBackends(
  targets: readonly (readonly [name: string, target: Target])[],
  twin: Twin,
  context: SuiteContext,
): Promise<ReadonlyMap<string, string>> {
  sayCommand(context, targets[0]![1]);
  const width = Math.max(...targets.map(([name]) => name.length));
  const chosen = new Map<string, string>();
  for (const [name, target] of targets) {
    context.signal.throwIfAborted();
    chosen.set(name, backendOf(await twin.echo(target)));
    context.say(`  ${pad(name, width)}  backend ${chosen.get(name)}`);
  }
  return chosen;
}

/** What the lab itself showed holds also where there can be no twin. */
function withoutTwin(results: readonly CaseResult[], error: unknown): CaseResult[] {
  const unfit = unfitOf(error);
  if (!unfit) throw error;
  return [...results, skipped('backends', unfit)];
}

function backendOf({ server }: Echo): string {
  return server.slice(0, server.indexOf('/'));
}

/** Host fields as clients send them: a port is said where it is not that of the scheme. */
function waysToSay({ host, aliases }: TestedSite, context: SuiteContext): string[] {
  const { port } = new URL(labUrl(context)); // none where it is
  return [host!, ...aliases].flatMap((name) => [
    name,
    name.toUpperCase(),
    ...(port === '' ? [] : [`${name}:${port}`]),
  ]);
}
