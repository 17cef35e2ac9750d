import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { EXIT, LabError } from '../../../src/errors.ts';
import { LxdClient, refusal } from '../../../src/providers/lxd/client.ts';
import { addressOf, type Instance } from '../../../src/providers/lxd/instances.ts';
import { LxdProvider } from '../../../src/providers/lxd/lxd.ts';
import { defaultRouteInterface } from '../../../src/providers/lxd/macvlan.ts';
import { deviceText, instanceSettings, type LxdSettings } from '../../../src/providers/lxd/settings.ts';
import { topologyOf } from '../../support/topology.ts';

const folder = mkdtempSync(join(tmpdir(), 'lablb-fake-lxc-'));
const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A client that does what this shell script says, first in the PATH. */
function fakeClient(script: string, name = 'lxc'): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  process.env.PATH = `${folder}:${PATH}`;
}

async function failure(action: Promise<unknown>): Promise<LabError> {
  const error = await action.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(LabError);
  return error as LabError;
}

const SETTINGS: LxdSettings = {
  command: 'lxc',
  image: 'x',
  macvlan: false,
  profiles: ['default'],
  prepare: true,
};
const LAB = 'name: rocky\nprovider: lxd\nnodes:\n  web1: {}\n  proxyha: {publish: [80, 8443]}\n';

describe('the client', () => {
  it('closes standard input, puts the project first, names the remote', async () => {
    fakeClient('[ -z "$(cat)" ] && echo "$@"');
    const client = new LxdClient({ ...SETTINGS, remote: 'big', project: 'labs' });
    expect(await client.call(['start', client.at('web1')])).toBe('--project labs start big:web1\n');
    expect(await client.query('POST', '/1.0/profiles', {})).toBe(
      'query --request POST --data {} big:/1.0/profiles?project=labs\n',
    );
  });

  it('has a deadline, and tells what was waited for', async () => {
    fakeClient('sleep 20');
    const error = await failure(
      new LxdClient(SETTINGS).call(['start', 'web1'], { timeoutMs: 200, what: 'web1: starting it' }),
    );
    expect(error.message).toBe('web1: starting it: no answer within 0.2 s');
    expect(error.fields).toMatchObject({ code: 'lxd.timeout', command: ['lxc', 'start', 'web1'] });
  });

  it('says what to install when neither client is there', () => {
    process.env.PATH = '/nowhere';
    expect(() => new LxdClient({ ...SETTINGS, command: 'incus' })).toThrow(/incus is not installed/);
  });

  it('takes incus when that is what is there, or what is asked for', () => {
    fakeClient('echo', 'incus');
    expect(new LxdClient({ ...SETTINGS, command: 'incus' }).command).toBe('incus');
  });

  it.each([
    [
      'Error: Get "http://unix.socket/1.0": dial unix /var/lib/lxd/unix.socket: connect: permission denied',
      'lxd.permission',
      EXIT.missing,
      /usermod/,
    ],
    [
      "Error: You don't have the needed permissions to talk to the incus daemon (socket path: /x/unix.socket)",
      'lxd.permission',
      EXIT.missing,
      /usermod/,
    ],
    [
      'Error: Get "http://unix.socket/1.0": dial unix /x/unix.socket: connect: no such file or directory',
      'lxd.daemon',
      EXIT.missing,
      /systemctl start/,
    ],
    [
      'Error: Get "http://unix.socket/1.0": dial unix /x/unix.socket: connect: connection refused',
      'lxd.daemon',
      EXIT.missing,
      /systemctl start/,
    ],
    [
      'Error: Failed creating instance record: Failed initialising instance: Failed getting root disk: No root device could be found',
      'lxd.storage',
      undefined,
      /lxd init/,
    ],
    [
      "Error: Failed getting image: The requested image couldn't be found",
      'lxd.image',
      undefined,
      /image list/,
    ],
    ['Error: write /x: no space left on device', 'lxd.full', undefined, /df -h/],
    [
      "Error: Failed to start device \"eth0\": Parent device 'eth7' doesn't exist",
      'lxd.parent',
      undefined,
      /ip link/,
    ],
    [
      'Error: Failed to listen on 0.0.0.0:80: bind: address already in use',
      'lxd.port',
      undefined,
      /ss -ltnp/,
    ],
    ['Error: Instance "web1" already exists', 'lxd.taken', undefined, /another name/],
    [
      'Error: Check if project has images: fetch project: Project not found',
      'lxd.project',
      EXIT.refused,
      /project list/,
    ],
    ['Error: Target only allowed when clustered', 'lxd.target', EXIT.refused, /cluster list/],
    ['Error: The remote "nowhere" doesn\'t exist', 'lxd.remote', EXIT.refused, /remote list/],
    ['Error: vhost_vsock kernel module not loaded', 'lxd.vm', undefined, /vm: false/],
    ['Error: something else', 'lxd.refused', undefined, undefined],
  ])('%s', (said, code, exit, hint) => {
    const { fields } = refusal(['lxc', 'x'], { exitStatus: 1, stdout: '', stderr: `${said}\n` });
    expect(fields).toMatchObject({ code, exitStatus: 1, stderr: said });
    expect(fields.exit).toBe(exit);
    if (hint) expect(fields.hints?.join('\n')).toMatch(hint);
    else expect(fields.hints).toBeUndefined();
  });
});

describe('a lab', () => {
  const list = (instance: Partial<Instance>): string =>
    JSON.stringify([
      {
        name: 'web1',
        status: 'Stopped',
        type: 'container',
        profiles: ['default'],
        config: {},
        devices: {},
        ...instance,
      },
    ]);

  it('takes an instance without our mark for a stranger’s, and never touches it', async () => {
    fakeClient(
      `case "$1" in list) echo '${list({ config: { 'user.lablb.lab': 'other' } })}' ;; *) echo "touched: $*" >&2; exit 1 ;; esac`,
    );
    const topology = topologyOf(LAB);
    const provider = new LxdProvider(topology);
    expect((await provider.observe('rocky')).nodes.get('web1')?.state).toBe('foreign');
    const node = { ...topology.nodes[0]!, lab: 'rocky' };
    expect((await failure(provider.create(node))).fields.code).toBe('node.foreign');
    expect((await failure(provider.destroy('web1'))).fields.code).toBe('node.foreign');
  });

  it('tells a full disk while files are pushed', async () => {
    fakeClient('cat >/dev/null; echo "sh: 9: printf: No space left on device" >&2; exit 2');
    const push = new LxdProvider(topologyOf(LAB)).push('web1', { path: '/etc/motd', content: 'x' });
    expect((await failure(push)).fields).toMatchObject({ code: 'lxd.full', node: 'web1' });
  });

  const onLan = (exitStatus: number): Promise<LabError> => {
    const stopped = list({ config: { 'user.lablb.lab': 'rocky' } });
    const topology = topologyOf(LAB.replace('lxd\n', 'lxd\nlxd: {macvlan: eno1}\n'));
    fakeClient(
      `case "$1 $2" in "list "*) echo '${stopped}' ;; "profile list") echo '[{"name":"macvlan","config":{},"devices":{"eth0":{"type":"nic","name":"eth0","nictype":"macvlan","parent":"eno1"}}}]' ;; exec*) exit ${exitStatus} ;; esac`,
    );
    return failure(new LxdProvider(topology).create({ ...topology.nodes[0]!, lab: 'rocky' }));
  };

  it('tells what it waited for when no DHCP server answers', async () => {
    const error = await onLan(97);
    expect(error.message).toBe('no address after 30 s');
    expect(error.fields.stderr).toMatch(/waited for an IPv4 address on eth0 \(macvlan on eno1\)[\s\S]*Wi-Fi/);
    expect(error.fields.hints?.join(' ')).toMatch(/dhclient -v eth0.*macvlan: false/);
  });

  it.each([
    [96, 'node.no-interface', /no network interface/],
    [95, 'lxd.inotify', /no inotify instances left/],
    [94, 'node.no-dhcp', /no DHCP client for an interface of macvlan/],
  ])('tells what a node says it lacks: %s', async (exitStatus, code, message) => {
    const error = await onLan(exitStatus);
    expect(error.fields.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('hands back the status of a command, and throws for a node that is gone', async () => {
    fakeClient('exit 7');
    const provider = new LxdProvider(topologyOf(LAB));
    expect((await provider.exec('web1', ['false'])).exitStatus).toBe(7);
    fakeClient('echo "Error: Instance not found" >&2; exit 1');
    await expect(provider.exec('web1', ['true'])).rejects.toThrow(/not there/);
  });
});

describe('a virtual machine', () => {
  it('is asked for as one, with its limits, profiles, pool and member', async () => {
    const log = join(folder, 'calls');
    // Goes as far as to make it.
    fakeClient(
      `echo "$@" >>${log}; case $1 in list) echo '[]' ;; image) case $2 in list) echo '[]' ;; *) echo 'Fingerprint: f1' ;; esac ;; init) echo no >&2; exit 1 ;; esac`,
    );
    const lab = `name: rocky
provider: lxd
lxd: { storage: fast, target: m2, prepare: false }
nodes:
  web1: { vm: true, image: 'images:debian/12', limits: { cpu: 2, memory: 1GiB }, profiles: [extra] }
`;
    const topology = topologyOf(lab);
    const provider = new LxdProvider(topology);
    await failure(provider.create({ ...topology.nodes[0]!, lab: 'rocky' }));
    const calls = readFileSync(log, 'utf8');
    expect(calls).toMatch(/^init --quiet \S+ web1 --profile default --profile extra /m);
    expect(calls).toMatch(
      /^init .* --config limits\.cpu=2 --config limits\.memory=1GiB --vm --storage fast --target m2$/m,
    );
    expect(calls).toMatch(/^image info \S+ --vm$/m);
  });
});

describe('small parts', () => {
  it('publishes ports under the tutorial’s names', () => {
    const topology = topologyOf(LAB);
    const { devices, profiles } = instanceSettings(topology, topology.nodes[1]!);
    expect(Object.entries(devices).map(([name, device]) => `${name}: ${deviceText(device)}`)).toEqual([
      'http: proxy connect=tcp:127.0.0.1:80 listen=tcp:0.0.0.0:80',
      'port8443: proxy connect=tcp:127.0.0.1:8443 listen=tcp:0.0.0.0:8443',
    ]);
    expect(profiles).toEqual(['default']);
  });

  it('finds the interface of the default route with the lowest metric', () => {
    const row = (name: string, to: string, metric: number): string =>
      [name, to, '0100A8C0', '0003', '0', '0', metric, '00000000', '0', '0', '0'].join('\t');
    const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
    const table = [
      head,
      row('wlan0', '00000000', 600),
      row('eno1', '00000000', 100),
      row('br0', '0000A8C0', 0),
      '',
    ];
    expect(defaultRouteInterface(table.join('\n'))).toBe('eno1');
    expect(defaultRouteInterface(`${head}\n`)).toBeUndefined();
  });

  it('takes the address of eth0 before any other', () => {
    const at = (address: string) => ({ addresses: [{ family: 'inet', scope: 'global', address }] });
    const network = { docker0: at('172.17.0.1'), eth0: at('192.168.1.150'), lo: at('127.0.0.1') };
    expect(addressOf({ state: { network } } as unknown as Instance)).toBe('192.168.1.150');
    expect(addressOf({ state: null } as Instance)).toBeUndefined();
  });
});

describe('what would fail', () => {
  /** A host with the interface lan0 and one image, whose profiles are these. */
  const foreseen = async (settings: string, profiles: object[] = []): Promise<LabError[]> => {
    fakeClient(`[ "$1" = --project ] && shift 2
case "$1 $2" in
'profile list') echo '${JSON.stringify(profiles)}' ;;
'query /1.0/networks') echo '["/1.0/networks/lo", "/1.0/networks/lan0"]' ;;
'image info') [ "$3" = here ] || { echo 'Error: Image not found' >&2; exit 1; } ;;
*) echo '[]' ;;
esac`);
    const topology = topologyOf(LAB.replace('nodes:', `lxd: {command: lxc, ${settings}}\nnodes:`));
    const provider = new LxdProvider(topology);
    await provider.observe('rocky');
    return provider.foresee(topology.nodes.map(({ name }) => name));
  };
  const said = (errors: readonly LabError[]) =>
    errors.map(({ message, fields: { node, code } }) => `${node} ${code}: ${message}`);

  it('is nothing where all is there', async () => {
    expect(await foreseen('image: here, macvlan: lan0')).toEqual([]);
    expect(await foreseen('image: here, macvlan: false')).toEqual([]);
  });

  it('is an image that is not to be had, an interface that is not there', async () => {
    expect(said(await foreseen('image: elsewhere, macvlan: false'))).toEqual([
      'web1 lxd.image: the image is not to be had',
      'proxyha lxd.image: the image is not to be had',
    ]);
    expect(said(await foreseen('image: here, macvlan: lan9'))).toEqual([
      'web1 lxd.parent: the interface for macvlan is not there',
      'proxyha lxd.parent: the interface for macvlan is not there',
    ]);
  });

  it('is a profile of somebody else’s: one that is empty has commands that mend it', async () => {
    const empty = { name: 'macvlan', config: {}, devices: {} };
    const [error] = await foreseen('image: here, macvlan: lan0, project: labs', [empty]);
    expect(error!.message).toBe("the profile 'macvlan' is there and has no eth0");
    expect(error!.fields.hints).toEqual([
      'lxc --project labs profile delete macvlan   (if nothing needs it: lablb makes one)',
      'lxc --project labs profile device add macvlan eth0 nic name=eth0 nictype=macvlan parent=lan0',
    ]);
    const eth0 = { type: 'nic', name: 'eth0', nictype: 'macvlan', parent: 'lan9' };
    const [other] = await foreseen('image: here, macvlan: lan0', [{ ...empty, devices: { eth0 } }]);
    expect(other!.fields.hints).toEqual(['lxc profile show macvlan', 'macvlan: lan9   in the topology']);
  });
});

describe('ports that are being published', () => {
  const owned = { 'user.lablb.lab': 'rocky' };
  const network = { eth0: { addresses: [{ family: 'inet', scope: 'global', address: '10.0.0.1' }] } };
  const listed = [
    {
      name: 'proxyha',
      status: 'Running',
      type: 'container',
      profiles: ['default'],
      config: owned,
      devices: {},
      state: { network },
    },
  ];

  it('are there for the plan, also when the daemon’s answer is older than the last of them', async () => {
    const list = join(folder, 'list');
    writeFileSync(list, '[]');
    // Adding a device is done while a list that does not have it yet is on its way.
    fakeClient(
      `case "$1" in list) cat ${list}; [ ! -s ${list}.slow ] || sleep 0.8 ;; image) echo '[]' ;; config) sleep 0.4 ;; exec) printf 'os rocky\\nend\\n' ;; esac`,
    );
    const topology = topologyOf(LAB.replace('nodes:', 'lxd: {command: lxc, macvlan: false}\nnodes:'));
    const provider = new LxdProvider(topology);
    await provider.observe('rocky');
    const proxyha = topology.nodes.find(({ name }) => name === 'proxyha')!;
    await provider.create({ ...proxyha, lab: 'rocky' });
    writeFileSync(list, JSON.stringify(listed));
    writeFileSync(`${list}.slow`, 'yes');
    const { nodes } = await provider.observe('rocky');
    expect([...nodes.get('proxyha')!.settings!.keys()]).toEqual([
      'profiles',
      'device http',
      'device port8443',
    ]);
    await provider.settle();
    expect([...(await provider.observe('rocky')).nodes.get('proxyha')!.settings!.keys()]).toEqual([
      'profiles',
    ]);
  });
});
