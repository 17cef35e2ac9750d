import { readFileSync } from 'node:fs';
import { EXIT, LabError } from '../../errors.ts';
import { type LxdClient, PARENT_HINTS } from './client.ts';
import { type Device, deviceText, type LxdSettings, MACVLAN, OWNER } from './settings.ts';

interface Profile {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Device>>;
}

/** The NIC of the profile `macvlan`, as the tutorial has it. @throws LabError `lxd.parent`. */
export function macvlanDevice(settings: LxdSettings): Device {
  return { type: 'nic', name: 'eth0', nictype: 'macvlan', parent: parentOf(settings) };
}

export interface MacvlanProfile {
  readonly nic: string;
  /** The lab that made it. */
  readonly owner?: string;
}

/** What the profile's NIC is now; undefined when there is no such profile. */
export async function macvlanNow(client: LxdClient): Promise<MacvlanProfile | undefined> {
  const profile = await readProfile(client);
  return profile && { nic: deviceText(profile.devices.eth0), owner: profile.config[OWNER] };
}

/**
 * Makes the profile, or takes the one that is there when it says the same (`now` is how it was found). One of lablb's own
 * that was changed is put right; somebody else's is refused.
 *
 * @throws LabError `lxd.profile`.
 */
export async function ensureMacvlan(
  client: LxdClient,
  settings: LxdSettings,
  lab: string,
  now: MacvlanProfile | undefined,
): Promise<void> {
  const wanted = macvlanDevice(settings);
  if (now?.nic === deviceText(wanted)) return;
  refuseOthers(now, wanted, client);
  if (!now) {
    try {
      return await makeProfile(client, wanted, lab);
    } catch (error) {
      // Another lab may have been quicker.
      if ((await macvlanNow(client))?.nic === deviceText(wanted)) return;
      throw error;
    }
  }
  if (now.nic !== '') await client.call(['profile', 'device', 'remove', client.at(MACVLAN), 'eth0']);
  await client.call(profileSteps(wanted, lab, (name) => client.at(name)).at(-1)!);
}

/** Somebody else's profile that says something else. @throws LabError `lxd.profile`. */
function refuseOthers(now: MacvlanProfile | undefined, wanted: Device, client: LxdClient): void {
  if (!now || now.owner !== undefined || now.nic === deviceText(wanted)) return;
  const empty = now.nic === '';
  const name = client.at(MACVLAN);
  const type = (...args: string[]): string => client.argv(['profile', ...args]).join(' ');
  throw new LabError(
    `the profile '${MACVLAN}' is there and ${empty ? 'has no eth0' : 'says something else'}`,
    {
      code: 'lxd.profile',
      exit: EXIT.refused,
      stderr: `is:     eth0: ${now.nic || 'nothing'}\nwanted: eth0: ${deviceText(wanted)}`,
      hints: empty
        ? [
            `${type('delete', name)}   (if nothing needs it: lablb makes one)`,
            type('device', 'add', name, 'eth0', deviceText(wanted)),
          ]
        : [type('show', name), `macvlan: ${parentIn(now.nic) ?? 'INTERFACE'}   in the topology`],
    },
  );
}

/**
 * What `ensureMacvlan` or a start would refuse, as far as that can be told before. @throws LabError `lxd.profile`,
 * `lxd.parent`.
 */
export async function refuseMacvlan(
  client: LxdClient,
  settings: LxdSettings,
  now: MacvlanProfile | undefined,
): Promise<void> {
  const wanted = macvlanDevice(settings);
  refuseOthers(now, wanted, client);
  // Another member of a cluster has interfaces of its own.
  if (settings.target !== undefined) return;
  const { exitStatus, stdout } = await client.try(['query', client.at('/1.0/networks')]);
  const networks = exitStatus === 0 ? (JSON.parse(stdout) as string[]) : [];
  const has = (name: string): boolean => networks.includes(`/1.0/networks/${encodeURIComponent(name)}`);
  // Who may not see all of them cannot tell.
  if (!has('lo') || has(wanted.parent!)) return;
  throw new LabError('the interface for macvlan is not there', {
    code: 'lxd.parent',
    stderr: `no interface '${wanted.parent}' on the host`,
    hints: PARENT_HINTS,
  });
}

/** In one request, so that there never is one that is not marked. */
async function makeProfile(client: LxdClient, nic: Device, lab: string): Promise<void> {
  const profile = { name: MACVLAN, config: { [OWNER]: lab }, devices: { eth0: nic } };
  await client.query('POST', '/1.0/profiles', profile);
}

/** The commands that make the profile. */
export function profileSteps(nic: Device, lab: string, at: (name: string) => string): string[][] {
  const { type, ...rest } = nic;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
  return [
    ['profile', 'create', at(MACVLAN)],
    ['profile', 'set', at(MACVLAN), `${OWNER}=${lab}`],
    ['profile', 'device', 'add', at(MACVLAN), 'eth0', type!, ...pairs],
  ];
}

/** Takes the profile away if this lab made it and nothing uses it any more. */
export async function dropMacvlan(client: LxdClient, lab: string): Promise<void> {
  if ((await macvlanNow(client))?.owner !== lab) return;
  await client.try(['profile', 'delete', client.at(MACVLAN)]); // in use by another lab: it stays
}

async function readProfile(client: LxdClient): Promise<Profile | undefined> {
  const names = JSON.parse(await client.call(['profile', 'list', ...client.remote, '--format', 'json'])) as ({
    name: string;
  } & Profile)[];
  return names.find(({ name }) => name === MACVLAN);
}

function parentOf({ macvlan, remote }: LxdSettings): string {
  if (typeof macvlan === 'string' && macvlan !== 'auto') return macvlan;
  const found = remote === undefined || remote === 'local' ? defaultRouteInterface(routes()) : undefined;
  if (found) return found;
  const message = remote
    ? `which interface of '${remote}' to use for macvlan cannot be seen from here`
    : 'there is no default route, so no interface to use for macvlan';
  throw new LabError(message, {
    code: 'lxd.parent',
    exit: EXIT.refused,
    hints: ["macvlan: INTERFACE under 'lxd:'   (ip -br link)", 'macvlan: false   (the bridge)'],
  });
}

/** The text of /proc/net/route; empty where there is none. */
export function routes(): string {
  try {
    return readFileSync('/proc/net/route', 'utf8');
  } catch {
    return '';
  }
}

/** The interface of the default route with the lowest metric, from the text of /proc/net/route (proc(5)). */
export function defaultRouteInterface(table: string): string | undefined {
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  const defaults = rows.filter(
    ([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000',
  );
  return defaults.sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}

function parentIn(nic: string): string | undefined {
  return /(?:^| )parent=(\S+)/.exec(nic)?.[1];
}
