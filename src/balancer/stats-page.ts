import { statsPassword } from '../credentials/kept.ts';
import type { DesiredNode } from '../plan/desired.ts';
import type { LabProvider } from '../providers/provider.ts';
import { curlSetting } from '../text.ts';
import type { Topology } from '../topology/topology.ts';

const ANSWER_WITHIN_MS = 700;

/** The CSV of the statistics page; undefined when there is none or it does not answer with it. */
export async function askPage(
  node: DesiredNode,
  topology: Topology,
  provider: LabProvider,
): Promise<string | undefined> {
  const { stats } = topology.balancer;
  if (!stats) return undefined;
  const port = node.ports.find((mapping) => mapping.port === stats.port)?.actual ?? stats.port;
  const auth = statsAuth(topology);
  const path = `:${port}${stats.uri};csv`;
  return node.family === 'embedded'
    ? askedHere(`http://${node.address}${path}`, auth)
    : askedOnNode(`http://127.0.0.1${path}`, auth, node.name, provider);
}

/** `user:password` of the statistics page; undefined when it asks for none. */
export function statsAuth(topology: Topology): string | undefined {
  const user = topology.balancer.stats?.user;
  return user && `${user}:${statsPassword(topology) ?? ''}`;
}

async function askedHere(url: string, auth: string | undefined): Promise<string | undefined> {
  const headers = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : undefined;
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return answer.status === 200 ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}

/** Asked on the proxy itself: this machine may not reach its own macvlan containers. The password stays off the argv. */
async function askedOnNode(
  url: string,
  auth: string | undefined,
  node: string,
  provider: LabProvider,
): Promise<string | undefined> {
  const user = auth ? curlSetting('user', auth) : '';
  const limits = ['--noproxy', '*', '--max-time', String(ANSWER_WITHIN_MS / 1000)];
  const asked = provider.exec(node, ['curl', '-s', '-f', ...limits, '-K', '-'], {
    input: `${curlSetting('url', url)}${user}`,
    timeoutMs: ANSWER_WITHIN_MS + 2000,
  });
  const result = await asked.catch(() => undefined);
  return result?.exitStatus === 0 ? result.stdout : undefined;
}
