import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sayCommand, tryCase } from './case.ts';
import { curlCommand, sendRequest, showCommand } from './request.ts';
import { proxyOf, senderOf, siteTarget, testedSites, unknownConfiguration } from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

const NAME = 'logging';
/** Engine and rsyslog gather lines for a moment before they write them. */
const SEEN_WITHIN_MS = 10_000;

/** Every request is in the log that the topology names, in that file and no other. */
export const logging: Suite = {
  name: NAME,
  summary: 'a request is found in the log file that the topology names',
  how: 'A request for each site with a mark in its path that nobody else has. Within ten seconds a line with it must be in the file on the proxy node; where there are two files it must not be in that of the balancer’s own messages, which must be there too.',
  unfit: (topology) => unknownConfiguration(topology),
  run: async (context) => {
    const results: CaseResult[] = [];
    for (const site of testedSites(context.record.topology)) {
      const target = siteTarget(site, context, `/lablb-test-${randomBytes(8).toString('hex')}`);
      results.push(await trySite(site.name, target, context));
    }
    return results;
  },
};

type Target = ReturnType<typeof siteTarget>;

function trySite(name: string, target: Target, context: SuiteContext): Promise<CaseResult> {
  const { file, info } = context.record.topology.balancer.log;
  return tryCase(NAME, name, `in ${file}`, context, async () => {
    const mark = new URL(target.url).pathname.slice(1);
    sayCommand(context, target);
    const { status } = await sendRequest(target, senderOf(context));
    const search = (path: string) => ['grep', '-F', mark, proxyOf(context).root + path];
    context.say(`  ${context.colours.dim(`${proxyOf(context).name}: ${showCommand(search(file))}`)}`);
    const line = await waitFor(search(file), context);
    if (line) context.say(`  ${line}`);
    const data = { command: curlCommand(target), status, file, line };
    if (!line)
      return { proof: '', failure: `no line of it in ${file} within ${SEEN_WITHIN_MS / 1000} s`, data };
    const other = info && (await look(search(info), context));
    const failure = other && `${info} ${other}`;
    return { proof: info ? `there, and not in ${info}` : 'there', failure: failure || undefined, data };
  });
}

/** The first line found, as soon as there is one. */
async function waitFor(search: readonly string[], context: SuiteContext): Promise<string | undefined> {
  const deadline = Date.now() + SEEN_WITHIN_MS;
  for (;;) {
    const { exitStatus, stdout } = await grep(search, context);
    if (exitStatus === 0) return stdout.split('\n', 1)[0]!.trim();
    if (Date.now() >= deadline) return undefined;
    await sleep(100, undefined, { signal: context.signal });
  }
}

/** What is wrong with the second file; nothing when it is there without the line. */
async function look(search: readonly string[], context: SuiteContext): Promise<string | undefined> {
  const { exitStatus } = await grep(search, context);
  if (exitStatus === 1) return undefined; // grep: no line
  return exitStatus === 0 ? 'has the request, too' : 'is not there';
}

function grep(search: readonly string[], { provider, signal, ...context }: SuiteContext) {
  return provider.exec(proxyOf({ provider, signal, ...context }).name, search, { timeoutMs: 10_000, signal });
}
