import { existsSync, readFileSync } from 'node:fs';
import { LabError } from '../../errors.ts';
import type { Finding, Need } from '../finding.ts';
import { INSTALL, LxdClient, named, refusal } from './client.ts';
import { defaultRouteInterface, routes } from './macvlan.ts';
import { INOTIFY_HINT } from './network.ts';
import type { Device } from './settings.ts';

/** What a look at one thing tells: what is here, or what is the matter and what to do. */
type Outcome = { readonly found: string } | { readonly lacks: string; readonly get: string };

const LOOK_DEADLINE_MS = 15_000;
const IMAGES = 'images:rockylinux/8';
/** Below this a host runs out of them with a dozen containers or so. */
const FEW_INOTIFY_INSTANCES = 512;

/** What a lab on LXD or Incus needs of this host, in the order in which it needs it. */
export async function examineLxd(): Promise<Finding[]> {
  const host = [row('parent for macvlan', 'useful', parent()), row('inotify instances', 'useful', inotify())];
  let client: LxdClient;
  try {
    client = new LxdClient({ command: 'auto', image: '', macvlan: false, profiles: [], prepare: false });
  } catch (error) {
    return [row('lxc or incus', 'needed', failed(error, INSTALL)), ...host];
  }
  const version = (await client.try(['--version'])).stdout.trim();
  const first = row('lxc or incus', 'needed', { found: `${client.command} ${version}` });
  const daemon = await asked(client, ['query', '/1.0'], () => 'answers');
  // Without an answer there is nothing more to be asked.
  if (!('found' in daemon)) return [first, row('its daemon', 'needed', daemon), ...host];
  return [
    first,
    row('its daemon', 'needed', daemon),
    row('storage pool', 'needed', await pool(client)),
    row('default profile', 'useful', await profile(client)),
    row('images', 'useful', await images(client)),
    ...host,
  ];
}

function pool(client: LxdClient): Promise<Outcome> {
  return asked(client, ['storage', 'list', '--format', 'json'], (text) => {
    const pools = JSON.parse(text) as { name: string; driver: string }[];
    if (pools.length > 0) return pools.map(({ name, driver }) => `${name} (${driver})`).join(', ');
    return { lacks: 'there is none', get: named('{init} --auto', client.command) };
  });
}

/** Nodes have their root disk and, on a bridge, their interface from it. */
function profile(client: LxdClient): Promise<Outcome> {
  return asked(client, ['query', '/1.0/profiles/default'], (text) => {
    const { devices } = JSON.parse(text) as { devices: Record<string, Device> };
    const all = Object.values(devices);
    const disk = all.some(({ type, path }) => type === 'disk' && path === '/');
    const nic = all.find(({ type }) => type === 'nic');
    if (disk && nic) return `root disk, ${nic.network ?? nic.parent ?? 'nic'}`;
    const missing = [...(disk ? [] : ['root disk']), ...(nic ? [] : ['network interface'])];
    return {
      lacks: `it has no ${missing.join(' and no ')}`,
      get: named(`'storage:' and 'macvlan:' in the topology, or {init} --auto`, client.command),
    };
  });
}

function images(client: LxdClient): Promise<Outcome> {
  return asked(client, ['image', 'info', IMAGES], () => `${IMAGES} is to be had`);
}

/** The interface that `macvlan: auto` would take. */
function parent(): Outcome {
  const name = defaultRouteInterface(routes());
  if (!name)
    return { lacks: 'there is no default route', get: 'macvlan: INTERFACE in the topology   (ip -br link)' };
  if (existsSync(`/sys/class/net/${name}/wireless`))
    return { lacks: `${name} is Wi-Fi, which usually refuses macvlan`, get: 'macvlan: false   (the bridge)' };
  return { found: `${name}; the DHCP server of its LAN gives the addresses` };
}

function inotify(): Outcome {
  const path = '/proc/sys/fs/inotify/max_user_instances';
  const now = existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.POSITIVE_INFINITY;
  if (now >= FEW_INOTIFY_INSTANCES) return { found: String(now) };
  return { lacks: `${now} are enough for a dozen containers or so`, get: INOTIFY_HINT };
}

/** Asks the daemon; `read` makes something of its answer. */
async function asked(
  client: LxdClient,
  args: readonly string[],
  read: (text: string) => string | Outcome,
): Promise<Outcome> {
  try {
    const result = await client.try(args, { timeoutMs: LOOK_DEADLINE_MS });
    if (result.exitStatus !== 0) throw refusal(client.argv(args), result);
    const said = read(result.stdout);
    return typeof said === 'string' ? { found: said } : said;
  } catch (error) {
    return failed(error, `${client.command} ${args.join(' ')}`);
  }
}

function failed(error: unknown, otherwise: string): Outcome {
  if (!(error instanceof LabError)) throw error;
  const hints = (error.fields.hints ?? []).filter((hint) => !hint.startsWith('lablb '));
  return { lacks: error.message, get: hints.join(' · ') || otherwise };
}

function row(name: string, need: Need, outcome: Outcome): Finding {
  return { provider: 'lxd', name, need, get: '', ...outcome };
}
