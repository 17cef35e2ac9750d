import { MACVLAN_FILES } from '../../os/macvlan.ts';
import { familyFor } from '../machine/probe.ts';
import type { NodeSpec } from '../provider.ts';
import type { LxdClient } from './client.ts';
import { type Wait, waitForAddress } from './network.ts';
import { type InstanceSettings, type LxdSettings, NODE, OWNER } from './settings.ts';

const INIT_DEADLINE_MS = 300_000;
const START_DEADLINE_MS = 120_000;

/** Makes an instance without starting it: marked as ours from its first moment, with its profiles and limits. */
export async function createInstance(
  client: LxdClient,
  lxd: LxdSettings,
  node: Pick<NodeSpec, 'lab' | 'name'>,
  wanted: InstanceSettings,
  image: string,
): Promise<void> {
  const config = { [OWNER]: node.lab, [NODE]: node.name, ...wanted.config };
  const options = [
    ...wanted.profiles.flatMap((profile) => ['--profile', profile]),
    ...Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]),
    ...(wanted.vm ? ['--vm'] : []),
    ...(lxd.storage ? ['--storage', lxd.storage] : []),
    ...(lxd.target ? ['--target', lxd.target] : []),
  ];
  await client.call(['init', '--quiet', image, client.at(node.name), ...options], {
    timeoutMs: INIT_DEADLINE_MS,
    what: `${node.name}: making it from ${image}`,
  });
}

/** The same from one that may be running: with all its settings, marked as ours from its first moment. */
export async function copyInstance(
  client: LxdClient,
  lxd: LxdSettings,
  node: Pick<NodeSpec, 'lab' | 'name'>,
  of: string,
): Promise<void> {
  const options = [
    ...['--config', `${OWNER}=${node.lab}`, '--config', `${NODE}=${node.name}`],
    ...(lxd.storage ? ['--storage', lxd.storage] : []),
    ...(lxd.target ? ['--target', lxd.target] : []),
  ];
  const names = [client.at(of), client.at(node.name)];
  await client.call(['copy', '--quiet', '--instance-only', ...names, ...options], {
    timeoutMs: INIT_DEADLINE_MS,
    what: `${node.name}: copying ${of}`,
  });
}

export interface Start {
  /** Interface of the LAN that it is on; undefined on a bridge. */
  readonly parent?: string;
  /** Of its system, where the image's name tells it. */
  readonly family?: string;
  readonly vm: boolean;
  /** A copy of one that has been started before. */
  readonly copy?: boolean;
  /** Told when it boots. */
  readonly started?: () => void;
  /** A command for the node, run at once when it has its address. Asked for when it has been started. */
  readonly andThen?: () => Wait['andThen'];
}

/**
 * Starts it, waits for its address, and comes back with what it says of itself then (PROBE). On macvlan the cron line is
 * in place before the first start, so that the first boot takes an address of the LAN: no lease of the bridge goes
 * stale, and nothing has to be restarted.
 */
export async function startInstance(client: LxdClient, name: string, start: Start): Promise<string> {
  const { parent, vm, copy, started, andThen } = start;
  if (parent && !vm && !copy) await putCronLine(client, name, start.family);
  await client.call(['start', '--quiet', client.at(name)], {
    timeoutMs: START_DEADLINE_MS,
    what: `${name}: starting it`,
  });
  started?.();
  return waitForAddress(client, name, { parent, andThen: andThen?.() });
}

/** Systems of Red Hat's family leave a macvlan eth0 alone; Debian's bring it up themselves. */
async function putCronLine(client: LxdClient, name: string, known: string | undefined): Promise<void> {
  const family = known ?? (await familyIn(client, name));
  if (family !== 'rhel') return;
  const pushes = MACVLAN_FILES.map(({ path, content, mode = 0o644 }) => {
    const to = ['--create-dirs', '--mode', mode.toString(8), '-', `${client.at(name)}${path}`];
    return client.call(['file', 'push', '--quiet', ...to], { input: String(content) });
  });
  await Promise.all(pushes);
}

/** What an instance that does not run yet says of itself. */
async function familyIn(client: LxdClient, name: string): Promise<string | undefined> {
  const release = await client.try(['file', 'pull', `${client.at(name)}/etc/os-release`, '-']);
  const ids = [...release.stdout.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, ids]) =>
    ids!.split(' '),
  );
  return familyFor(ids);
}
