import { isUp, ROW, readStats } from '../balancer/csv.ts';
import { balancerStats } from '../balancer/stats.ts';
import type { LabProvider } from '../providers/provider.ts';
import type { LabRecord } from '../state/record.ts';

/** A backend and how many of its servers are in use. */
export interface SiteState {
  readonly name: string;
  readonly up: number;
  readonly total: number;
}

/** What the balancer says about its backends; nothing when it does not answer. */
export async function proxyStates(record: LabRecord, provider: LabProvider): Promise<SiteState[]> {
  const csv = await balancerStats(record, provider).catch(() => '');
  return sitesOf(csv);
}

/** Rows of HAProxy's statistics → backends with servers. */
export function sitesOf(csv: string): SiteState[] {
  const servers = readStats(csv).filter((row) => row.type === ROW.server);
  const names = [...new Set(servers.map((row) => row.pxname!))];
  return names.map((name) => {
    const own = servers.filter((row) => row.pxname === name);
    return { name, up: own.filter(isUp).length, total: own.length };
  });
}
