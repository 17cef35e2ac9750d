import { randomBytes } from 'node:crypto';
import { sayCommand, tryCase } from './case.ts';
import { pause } from './pause.ts';
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
  how: 'A request for each site with a mark in its path that nobody else has. Within ten seconds a line with it must be in the file on the proxy node; where there are two files it must not be in that of the balancer’s own messages.',
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
    // The second file may be absent: rsyslog makes it with the first message.
    const both = info !== undefined && (await grep(search(info), context)).exitStatus === 0;
    const failure = both ? `${info} has the request, too` : undefined;
    return { proof: info ? `there, and not in ${info}` : 'there', failure, data };
  });
}

/** The first line found, as soon as there is one. */
async function waitFor(search: readonly string[], context: SuiteContext): Promise<string | undefined> {
  const deadline = Date.now() + SEEN_WITHIN_MS;
  for (;;) {
    const { exitStatus, stdout } = await grep(search, context);
    if (exitStatus === 0) return stdout.split('\n', 1)[0]!.trim();
    if (Date.now() >= deadline) return undefined;
    await pause(100, context.signal);
  }
}

function grep(search: readonly string[], context: SuiteContext) {
  const { provider, signal } = context;
  return provider.exec(proxyOf(context).name, search, { timeoutMs: 10_000, signal });
}
