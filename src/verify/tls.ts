import { actual } from '../cli/lab-lines.ts';
import { plural } from '../text.ts';
import { type Finding, tryCase } from './case.ts';
import { curlFailure, type Exchange, exchange } from './exchange.ts';
import { showCommand } from './request.ts';
import { authorityOn, httpsUrl, proxyOf, senderOf, unknownConfiguration } from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';

const NAME = 'tls';

/** The certificate is one that clients accept, and nothing older than TLS 1.2 is spoken. */
export const tls: Suite = {
  name: NAME,
  summary:
    'the certificate is of the authority that clients are to trust, fits every name, has not ended, and TLS is 1.2 at least',
  how: '`curl --cacert` by the name of every site and of the balancer, and by its address: curl checks chain, name and dates itself. Without the authority of the lab curl must refuse. Then TLS 1.2 and 1.3 one by one, and 1.1, which the balancer must refuse. Last, the days that the certificate has left.',
  unfit: ({ balancer }) =>
    balancer.tls
      ? unknownConfiguration({ balancer })
      : { reason: 'the lab has no TLS', hint: 'balancer.tls: true' },
  run: async (context) => {
    const cases = [
      ...namesOf(context).map((name) => () => tryName(name, context)),
      ...(authorityOn(context) ? [() => tryStranger(context)] : []),
      ...VERSIONS.map((version) => () => tryVersion(version, context)),
      () => tryDates(context),
    ];
    const results: CaseResult[] = [];
    for (const attempt of cases) results.push(await attempt());
    return results;
  },
};

/** What clients ask for: sites, and the balancer by its name and its address. */
function namesOf(context: SuiteContext): string[] {
  const { sites } = context.record.topology.balancer;
  const proxy = proxyOf(context);
  return [...sites.flatMap(({ host, aliases }) => [host, ...aliases]), proxy.name, proxy.address!];
}

function tryName(name: string, context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, name, 'chain and name', context, async () => {
    const command = toName(name, context);
    const seen = await run(command, context);
    if (seen.exitStatus !== 0)
      return { proof: '', failure: `not accepted: ${curlFailure(seen)}`, data: { command } };
    return { proof: `accepted, status ${seen.status}`, data: { command, status: seen.status } };
  });
}

/** Without the authority nobody accepts it: what the cases above prove is the authority's doing. */
function tryStranger(context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, 'without ca.pem', 'who does not trust the authority', context, async () => {
    const command = ['curl', '-s', httpsUrl(context)];
    const seen = await run(command, context);
    const refused = seen.exitStatus === UNTRUSTED;
    const what = seen.exitStatus === 0 ? 'accepted' : curlFailure(seen);
    return {
      proof: 'refused, as it must be: the certificate is the lab’s own',
      failure: refused ? undefined : `not refused as untrusted: ${what}`,
      data: { command, exitStatus: seen.exitStatus },
    };
  });
}

interface Version {
  readonly name: string;
  readonly options: readonly string[];
  readonly spoken: boolean;
}

/** A curl of today offers TLS 1.1 only when it is told that weak is good enough. */
const WEAK = ['--ciphers', 'DEFAULT@SECLEVEL=0'];
const VERSIONS: readonly Version[] = [
  { name: 'TLS 1.2', options: ['--tlsv1.2', '--tls-max', '1.2'], spoken: true },
  { name: 'TLS 1.3', options: ['--tlsv1.3', '--tls-max', '1.3'], spoken: true },
  { name: 'TLS 1.1', options: ['--tlsv1.0', '--tls-max', '1.1', ...WEAK], spoken: false },
];

async function tryVersion({ name, options, spoken }: Version, context: SuiteContext): Promise<CaseResult> {
  const command = ['curl', ...options, ...toName(proxyOf(context).address!, context).slice(1)];
  let unable: string | undefined;
  const result = await tryCase(
    NAME,
    name,
    spoken ? 'spoken' : 'refused',
    context,
    async (): Promise<Finding> => {
      const seen = await run(command, context);
      const data = { command, exitStatus: seen.exitStatus };
      if (seen.exitStatus === 0)
        return {
          proof: 'spoken',
          failure: spoken ? undefined : `${name} is spoken, and should not be`,
          data,
        };
      if (isUnable(seen)) unable = `the curl of ${senderOf(context).node} does not speak ${name}`;
      if (unable) return { proof: unable, data };
      const refused = /alert protocol version|handshake failure|peer closed|reset|SSL_ERROR_SYSCALL/i.test(
        seen.stderr,
      );
      if (!spoken && refused) return { proof: 'refused by the balancer', data };
      return {
        proof: '',
        failure: `${spoken ? 'not spoken' : 'no clear refusal'}: ${curlFailure(seen)}`,
        data,
      };
    },
  );
  return unable ? { name, ms: result.ms, skipped: unable } : result;
}

/** curl itself cannot: an option that it does not know, or its library refuses to offer that version. */
function isUnable({ exitStatus, stderr }: Exchange): boolean {
  return (
    exitStatus === UNKNOWN_OPTION ||
    exitStatus === NOT_BUILT_IN ||
    /no protocols available|unsupported protocol|unrecognized or bad|failed setting cipher|not support/i.test(
      stderr,
    )
  );
}

/** Exit statuses of curl (its manual, EXIT CODES). */
const UNKNOWN_OPTION = 2;
const NOT_BUILT_IN = 4;
const UNTRUSTED = 60;

function tryDates(context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, 'dates', 'days left', context, async () => {
    const command = ['curl', '-v', ...toName(proxyOf(context).address!, context).slice(1)];
    const seen = await run(command, context);
    const [start, end] = ['start', 'expire'].map((which) => dateOf(which, seen.stderr));
    const data = { command, start: start?.toISOString(), end: end?.toISOString() };
    if (!start || !end)
      return { proof: '', failure: `curl does not tell the dates: ${curlFailure(seen)}`, data };
    const left = Math.floor((end.getTime() - Date.now()) / DAY_MS);
    const failure = left < 0 ? 'it has ended' : start.getTime() > Date.now() ? 'it has not begun' : undefined;
    return { proof: `ends in ${plural(left, 'day')}`, failure, data: { ...data, left } };
  });
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** `*  expire date: Nov 21 23:12:56 2027 GMT` in what curl tells of a handshake. */
export function dateOf(which: string, told: string): Date | undefined {
  const text = new RegExp(`^\\*\\s+${which} date: (.+?)\\s*$`, 'm').exec(told)?.[1];
  const date = new Date(text ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A request by name, wherever that name may lead: the address is said beside it. */
function toName(name: string, context: SuiteContext): readonly string[] {
  const proxy = proxyOf(context);
  const port = actual(proxy, context.record.topology.balancer.tls!.port);
  const authority = authorityOn(context);
  return [
    'curl',
    '-s',
    ...(authority ? ['--cacert', authority] : []),
    ...(name === proxy.address ? [] : ['--resolve', `${name}:${port}:${proxy.address}`]),
    httpsUrl(context).replace(`//${proxy.address}`, `//${name}`),
  ];
}

function run(command: readonly string[], context: SuiteContext): Promise<Exchange> {
  context.say(`  ${context.colours.dim(showCommand(command))}`);
  return exchange(command, senderOf(context));
}
