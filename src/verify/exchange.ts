import { EXIT, LabError } from '../errors.ts';
import { NOT_FOUND } from '../shell/run.ts';
import { curlSetting } from '../text.ts';
import type { Sender } from './request.ts';

/** One run of curl, looked at closely: what the last response said, and how it came to be. */
export interface Exchange {
  /** Of curl: 0 when there was a response. */
  readonly exitStatus: number;
  /** 0 without a response. */
  readonly status: number;
  /** Header fields of the last response, names in lower case; of several of one name the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Where the last response came from. */
  readonly url: string;
  /** What curl said, its account of the handshake (`-v`) included. */
  readonly stderr: string;
}

export interface CurlOptions {
  /** `user:password`, which stays off the command line. */
  readonly auth?: string;
}

const MAX_SECONDS = 10;
/** The way out where it is missing. */
export const CURL = 'apt-get install curl   (or dnf, apk, brew)';

/**
 * Runs `curl …` on the sending node, with a deadline, and reads what came back. That curl fails is a result.
 *
 * @throws LabError `curl.missing`.
 */
export async function exchange(
  command: readonly string[],
  { provider, node, signal }: Sender,
  { auth }: CurlOptions = {},
): Promise<Exchange> {
  const [curl, ...rest] = command;
  const watch = ['-S', '-i', '--max-time', String(MAX_SECONDS), '--noproxy', '*'];
  const secret = auth === undefined ? [] : ['-K', '-'];
  const argv = [curl!, ...watch, ...secret, '-w', '\n%{http_code} %{url_effective}', ...rest];
  const input = auth === undefined ? undefined : curlSetting('user', auth);
  const result = await provider.exec(node, argv, { timeoutMs: (MAX_SECONDS + 5) * 1000, signal, input });
  if (result.exitStatus === NOT_FOUND) throw curlMissing(node);
  const cut = result.stdout.lastIndexOf('\n');
  const [status = '0', url = ''] = result.stdout.slice(cut + 1).split(' ');
  const { headers, body } = lastResponse(result.stdout.slice(0, Math.max(0, cut)));
  const { exitStatus, stderr } = result;
  return { exitStatus, status: Number(status), headers, body, url, stderr };
}

/** The last of the responses that `curl -i -L` prints one after another. */
export function lastResponse(text: string): { headers: ReadonlyMap<string, string>; body: string } {
  const head = /^HTTP\/[\d.]+ \d{3}[^\r\n]*\r?\n((?:[^\r\n]+\r?\n)*)\r?\n/.exec(text);
  if (!head) return { headers: new Map(), body: text };
  const rest = text.slice(head[0].length);
  if (/^HTTP\/[\d.]+ \d{3}/.test(rest)) return lastResponse(rest);
  const fields = head[1]!.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const];
  });
  return { headers: new Map(fields), body: rest };
}

/** What curl says of a failure: its last line. */
export function curlFailure({ exitStatus, stderr }: Pick<Exchange, 'exitStatus' | 'stderr'>): string {
  const said = stderr
    .trim()
    .split('\n')
    .findLast((line) => line.startsWith('curl: '));
  return said ?? `curl ended with ${exitStatus}`;
}

export function curlMissing(node: string): LabError {
  return new LabError('curl is not there, and the tests send their requests with it', {
    code: 'curl.missing',
    node,
    exit: EXIT.missing,
    hints: [CURL],
  });
}
