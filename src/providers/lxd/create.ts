import { DHCLIENT_CRONTAB } from '../../os/crontab.ts';
import { familyFor } from '../machine/probe.ts';
import type { NodeSpec } from '../provider.ts';
import type { LxdClient } from './client.ts';
import { waitForAddress } from './network.ts';
import { type InstanceSettings, type LxdSettings, NODE, OWNER } from './settings.ts';

const INIT_DEADLINE_MS = 300_000;
const START_DEADLINE_MS = 120_000;

/**
 * Makes an instance without starting it: marked as ours from its first moment, with its profiles, limits and
 * published ports.
 */
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
  for (const [name, { type, ...rest }] of Object.entries(wanted.devices)) {
    const pairs = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
    await client.call(['config', 'device', 'add', client.at(node.name), name, type!, ...pairs]);
  }
}

/**
 * Starts it and waits for its address. On macvlan (`parent`) the cron line is in place before the first start, so that
 * the first boot takes an address of the LAN: no lease of the bridge goes stale, and nothing has to be restarted.
 * `meanwhile` is done while it waits, not earlier: the daemon lets a start wait for files that are on their way.
 */
export async function startInstance(
  client: LxdClient,
  name: string,
  { parent, vm, meanwhile }: { parent?: string; vm: boolean; meanwhile?: () => Promise<void> },
): Promise<void> {
  if (parent && !vm) await putCronLine(client, name);
  await client.call(['start', '--quiet', client.at(name)], {
    timeoutMs: START_DEADLINE_MS,
    what: `${name}: starting it`,
  });
  await Promise.all([waitForAddress(client, name, { parent }), meanwhile?.()]);
}

/** Systems of Red Hat's family leave a macvlan eth0 alone; Debian's bring it up themselves. */
async function putCronLine(client: LxdClient, name: string): Promise<void> {
  const release = await client.try(['file', 'pull', `${client.at(name)}/etc/os-release`, '-']);
  const ids = [...release.stdout.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, ids]) =>
    ids!.split(' '),
  );
  if (familyFor(ids) !== 'rhel') return;
  const { path, content, mode } = DHCLIENT_CRONTAB;
  await client.call(
    ['file', 'push', '--quiet', '--mode', mode.toString(8), '-', `${client.at(name)}${path}`],
    {
      input: content,
    },
  );
}
