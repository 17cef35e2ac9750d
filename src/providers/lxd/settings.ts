import type { Topology, TopologyNode } from '../../topology/topology.ts';
import type { Instance } from './instances.ts';

/** `lxd:` of a topology, as its schema hands it on. */
export interface LxdSettings {
  readonly command: 'auto' | 'lxc' | 'incus';
  readonly image: string;
  /** false: the bridge of the default profile; 'auto' or true: the interface of the default route; else an interface. */
  readonly macvlan: boolean | string;
  readonly remote?: string;
  readonly project?: string;
  readonly target?: string;
  readonly storage?: string;
  readonly profiles: readonly string[];
  readonly prepare: boolean;
}

export const MACVLAN = 'macvlan';

export function settingsOf(topology: Topology): LxdSettings {
  return topology.lxd as unknown as LxdSettings;
}

/** What marks an instance or a profile as ours. */
export const OWNER = 'user.lablb.lab';
export const NODE = 'user.lablb.node';

/** A device as `lxc config device add` takes it: its type and its settings. */
export type Device = Readonly<Record<string, string>>;

/** What an instance is to be, beside what is inside it. */
export interface InstanceSettings {
  readonly image: string;
  readonly vm: boolean;
  readonly profiles: readonly string[];
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Device>>;
}

export function instanceSettings(topology: Topology, node: TopologyNode): InstanceSettings {
  const lxd = settingsOf(topology);
  const { image, vm, limits, profiles } = node.extra as NodeExtra;
  const own = [...lxd.profiles, ...(lxd.macvlan === false ? [] : [MACVLAN]), ...(profiles ?? [])];
  return {
    image: image ?? lxd.image,
    vm: vm ?? false,
    profiles: [...new Set(own)],
    config: {
      ...(limits?.cpu === undefined ? {} : { 'limits.cpu': String(limits.cpu) }),
      ...(limits?.memory === undefined ? {} : { 'limits.memory': limits.memory }),
    },
    devices: Object.fromEntries(node.publish.map((port) => [publishName(port), publishDevice(port)])),
  };
}

interface NodeExtra {
  readonly image?: string;
  readonly vm?: boolean;
  readonly limits?: { readonly cpu?: number | string; readonly memory?: string };
  readonly profiles?: readonly string[];
}

/** The tutorial's names for the two ports that everyone publishes. */
function publishName(port: number): string {
  return port === 80 ? 'http' : port === 443 ? 'https' : `port${port}`;
}

function publishDevice(port: number): Device {
  return { type: 'proxy', listen: `tcp:0.0.0.0:${port}`, connect: `tcp:127.0.0.1:${port}` };
}

/** What the daemon was told of an instance, by name, in one line each; `macvlanNic` is what the profile says. */
export function settingsNow(instance: Instance, macvlanNic: string | undefined): ReadonlyMap<string, string> {
  const config = Object.entries(instance.config).filter(([name]) => name.startsWith('limits.'));
  const devices = Object.entries(instance.devices).filter(([, device]) => device.type === 'proxy');
  return new Map([
    ['profiles', instance.profiles.join(',')],
    ...config.map(([name, value]) => [`config ${name}`, value] as const),
    ...devices.map(([name, device]) => [`device ${name}`, deviceText(device)] as const),
    ...(macvlanNic === undefined ? [] : [[`profile ${MACVLAN}`, macvlanNic] as const]),
  ]);
}

/** For a plan before there is anything to look at: by the image's name. */
export function familyOfImage(image: string): string | undefined {
  if (/\b(?:debian|ubuntu)\b/i.test(image)) return 'debian';
  return /\b(?:rockylinux|rocky|almalinux|centos|fedora|oracle|rhel)\b/i.test(image) ? 'rhel' : undefined;
}

/** The arguments that give an instance a device. */
export function deviceStep(at: string, name: string, { type = '', ...rest }: Device): string[] {
  return ['config', 'device', 'add', at, name, type, ...pairsOf(rest)];
}

/** `proxy connect=tcp:127.0.0.1:80 listen=tcp:0.0.0.0:80`: a device in one line, the same for equal ones. */
export function deviceText(device: Device | undefined): string {
  if (!device) return '';
  const { type = '', ...rest } = device;
  return [type, ...pairsOf(rest).sort()].join(' ');
}

function pairsOf(settings: Device): string[] {
  return Object.entries(settings).map(([key, value]) => `${key}=${value}`);
}
