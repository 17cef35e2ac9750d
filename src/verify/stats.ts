import { statsPassword } from '../credentials/kept.ts';
import type { LabProvider } from '../providers/provider.ts';
import type { LabRecord } from '../state/record.ts';
import type { Topology } from '../topology/topology.ts';
import { type HttpTarget, httpGet } from './http.ts';

/** A backend and how many of its servers are in use. */
export interface SiteState {
  readonly name: string;
  readonly up: number;
  readonly total: number;
}

const ANSWER_WITHIN_MS = 700;

/** `user:password` of the statistics page; undefined when it asks for none. */
export function statsAuth(topology: Topology): string | undefined {
  const user = topology.balancer.stats?.user;
  return user && `${user}:${statsPassword(topology) ?? ''}`;
}

/** What the balancer's statistics page says about its backends; nothing when it has none or does not answer. */
export async function proxyStates(record: LabRecord, provider: LabProvider): Promise<SiteState[]> {
  const stats = record.topology.balancer.stats;
  const proxy = record.desired.nodes.find((node) => node.role === 'proxy');
  if (!stats || !proxy?.address) return [];
  const port = proxy.ports.find((mapping) => mapping.port === stats.port)?.actual ?? stats.port;
  const auth = statsAuth(record.topology);
  const target = { host: proxy.address, port, path: `${stats.uri};csv`, auth, timeoutMs: ANSWER_WITHIN_MS };
  const answer = await (record.provider === 'local'
    ? httpGet(target)
    : askedOnNode(target, proxy.name, provider));
  return answer?.status === 200 ? sitesOf(answer.body) : [];
}

/** Asked on the proxy itself: this machine may not reach its own macvlan containers. The password stays off the argv. */
async function askedOnNode(
  { port, path, auth, timeoutMs }: HttpTarget,
  node: string,
  provider: LabProvider,
): Promise<{ status: number; body: string } | undefined> {
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const settings = [
    `url = ${quoted(`http://127.0.0.1:${port}${path}`)}`,
    ...(auth ? [`user = ${quoted(auth)}`] : []),
  ];
  const argv = [
    'curl',
    '-s',
    '--noproxy',
    '*',
    '--max-time',
    String(timeoutMs / 1000),
    '-w',
    '\n%{http_code}',
    '-K',
    '-',
  ];
  const asked = provider.exec(node, argv, { input: `${settings.join('\n')}\n`, timeoutMs: timeoutMs + 2000 });
  const result = await asked.catch(() => undefined);
  if (result?.exitStatus !== 0) return undefined;
  const cut = result.stdout.lastIndexOf('\n');
  return { status: Number(result.stdout.slice(cut + 1)), body: result.stdout.slice(0, cut) };
}

/** Rows of HAProxy's statistics CSV (manual, section 9.1 of management.txt) → backends with servers. */
export function sitesOf(csv: string): SiteState[] {
  const servers = rowsOf(csv).filter(({ type }) => type === SERVER);
  const names = [...new Set(servers.map(({ pxname }) => pxname!))];
  return names.map((name) => {
    const own = servers.filter(({ pxname }) => pxname === name);
    // "UP", "UP 1/3" on its way down, "no check"; not "DOWN …", "MAINT", "DRAIN", "NOLB".
    const up = own.filter(({ status }) => /^(?:UP|no check)/.test(status ?? ''));
    return { name, up: up.length, total: own.length };
  });
}

/** The rows, by the names of their columns. */
export function rowsOf(csv: string): Partial<Record<string, string>>[] {
  const [head = '', ...lines] = csv.split(/\r?\n/);
  const columns = head.replace(/^# /, '').split(',');
  return lines
    .filter((line) => line !== '')
    .map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])));
}

/** In the column `type`: 0 frontend, 1 backend, 2 server, 3 listener. */
const SERVER = '2';
