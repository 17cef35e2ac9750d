import type { LabRecord } from '../state/record.ts';
import { httpGet } from './http.ts';

/** A backend and how many of its servers are in use. */
export interface SiteState {
  readonly name: string;
  readonly up: number;
  readonly total: number;
}

const ANSWER_WITHIN_MS = 700;

/** What the balancer's statistics page says about its backends; nothing when it has none or does not answer. */
export async function proxyStates(record: LabRecord): Promise<SiteState[]> {
  const stats = record.topology.balancer.stats;
  const proxy = record.desired.nodes.find((node) => node.role === 'proxy');
  if (!stats || !proxy?.address) return [];
  const port = proxy.ports.find((mapping) => mapping.port === stats.port)?.actual ?? stats.port;
  const auth = stats.user === undefined ? undefined : `${stats.user}:${stats.password ?? ''}`;
  const target = { host: proxy.address, port, path: `${stats.uri};csv`, auth, timeoutMs: ANSWER_WITHIN_MS };
  const answer = await httpGet(target);
  return answer?.status === 200 ? sitesOf(answer.body) : [];
}

/** Rows of HAProxy's statistics CSV (manual, section 9.1 of management.txt) → backends with servers. */
export function sitesOf(csv: string): SiteState[] {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const column = (name: string): number => columns.indexOf(name);
  const rows = lines.map((line) => line.split(','));
  const servers = rows.filter((row) => row[column('type')] === SERVER);
  const names = [...new Set(servers.map((row) => row[column('pxname')]!))];
  return names.map((name) => {
    const own = servers.filter((row) => row[column('pxname')] === name);
    // "UP", "UP 1/3" on its way down, "no check"; not "DOWN …", "MAINT", "DRAIN", "NOLB".
    const up = own.filter((row) => /^(?:UP|no check)/.test(row[column('status')] ?? ''));
    return { name, up: up.length, total: own.length };
  });
}

/** In the column `type`: 0 frontend, 1 backend, 2 server, 3 listener. */
const SERVER = '2';
