import type { LxdClient } from './client.ts';
import { type Device, OWNER } from './settings.ts';

/** An instance as the daemon describes it; only what is used here. */
export interface Instance {
  readonly name: string;
  readonly status: string;
  readonly type: 'container' | 'virtual-machine';
  readonly profiles: readonly string[];
  /** The instance's own, without those of its profiles. */
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Device>>;
  readonly snapshots?: readonly { readonly name: string; readonly created_at: string }[] | null;
  readonly state?: {
    readonly network?: Readonly<
      Record<string, { readonly addresses: readonly { family: string; scope: string; address: string }[] }>
    > | null;
  } | null;
}

/** Every instance of the project, or the one of that name: one call. */
export async function listInstances(client: LxdClient, name?: string): Promise<Instance[]> {
  // A filter is a pattern: anchored, it is one name (which holds no special characters).
  const filter = name === undefined ? client.remote : [...client.remote, `^${name}$`];
  return JSON.parse(await client.call(['list', ...filter, '--format', 'json'])) as Instance[];
}

export function isOf(instance: Instance, lab: string): boolean {
  return instance.config[OWNER] === lab;
}

export function isRunning(instance: Instance): boolean {
  return instance.status === 'Running';
}

/** The IPv4 address on the LAN or bridge: eth0's, else the first one that is not the node's own. */
export function addressOf({ state }: Instance): string | undefined {
  const interfaces = Object.entries(state?.network ?? {}).filter(([name]) => name !== 'lo');
  const ordered = interfaces.sort(([a], [b]) => Number(b === 'eth0') - Number(a === 'eth0'));
  const addresses = ordered.flatMap(([, { addresses }]) => addresses ?? []);
  return addresses.find(({ family, scope }) => family === 'inet' && scope === 'global')?.address;
}
