import { LabError } from '../errors.ts';
import type { LabProvider } from '../providers/provider.ts';
import { NOT_FOUND } from '../shell/run.ts';
import { quote } from '../text.ts';
import { CURL, curlMissing } from './exchange.ts';
import { httpGet } from './http.ts';
import { cannotTry } from './unfit.ts';

export interface Target {
  readonly url: string;
  /** Sent as `Host:`; the URL's own when there is none. */
  readonly host?: string;
  /** File on the sending node of the authority to trust; the system's own when there is none. */
  readonly authority?: string;
  /** Whatever the certificate says: for a place that it does not name. */
  readonly insecure?: boolean;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Address of this node that the request comes from, e.g. 127.0.0.2. */
  readonly from?: string;
  readonly method?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Who sent the request. */
  readonly via: 'curl' | 'lablb';
}

/** Where requests are sent from: a node of the lab, for not every lab can be reached from outside. */
export interface Sender {
  readonly provider: LabProvider;
  readonly node: string;
  readonly signal?: AbortSignal;
}

const MAX_SECONDS = 10;

/** The command as it is typed by hand. */
export function curlCommand(target: Target): readonly string[] {
  const { url, host, authority, insecure, headers, from, method } = target;
  const fields = { ...(host === undefined ? {} : { Host: host }), ...headers };
  return [
    'curl',
    '-s',
    ...(authority === undefined ? [] : ['--cacert', authority]),
    ...(insecure ? ['-k'] : []),
    ...(from === undefined ? [] : ['--interface', from]),
    ...(method === undefined ? [] : ['-X', method]),
    ...Object.entries(fields).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    url,
  ];
}

export function showCommand(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/**
 * Sends one request with curl from a node of the lab, the command of `curlCommand` plus a deadline and the status.
 *
 * Without curl lablb sends it itself, which works where the lab can be reached from here.
 *
 * @throws LabError `request.failed` with curl's exit status; `curl.missing` when there is no curl and no other way.
 */
export async function sendRequest(target: Target, { provider, node, signal }: Sender): Promise<Answer> {
  const [curl, ...rest] = curlCommand(target);
  const limits = ['-S', '--max-time', String(MAX_SECONDS), '--noproxy', '*', '-w', '\n%{http_code}'];
  const argv = [curl!, ...limits, ...rest];
  const options = { timeoutMs: (MAX_SECONDS + 5) * 1000, signal };
  let result = await provider.exec(node, argv, options);
  // There is a status at least: nothing at all means that it was lost on the way, as a busy LXD does now and then.
  for (let again = 0; again < 3 && result.exitStatus === 0 && result.stdout === ''; again++)
    result = await provider.exec(node, argv, options);
  if (result.exitStatus === NOT_FOUND) return sendOurselves(target, node);
  if (result.exitStatus !== 0) {
    throw new LabError(`no answer from ${target.url}`, {
      code: 'request.failed',
      command: curlCommand(target),
      exitStatus: result.exitStatus,
      stderr: result.stderr,
      hints: ['lablb status', `lablb logs ${node}`],
    });
  }
  const cut = result.stdout.lastIndexOf('\n');
  return { status: Number(result.stdout.slice(cut + 1)), body: result.stdout.slice(0, cut), via: 'curl' };
}

async function sendOurselves(target: Target, node: string): Promise<Answer> {
  const { url, host, ...more } = target;
  if (more.from !== undefined || more.method !== undefined) throw cannotTry(`curl is not on ${node}`, CURL);
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol !== 'http:') throw curlMissing(node);
  const headers = { ...(host === undefined ? {} : { host }), ...more.headers };
  const at = { host: hostname, port: Number(port || 80), path: pathname };
  const answer = await httpGet({ ...at, headers, timeoutMs: MAX_SECONDS * 1000 });
  if (answer) return { ...answer, via: 'lablb' };
  throw curlMissing(node);
}
