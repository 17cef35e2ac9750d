import { appendFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, type MachineSpec, Machines } from './machines.ts';
import { driftOf } from './support.ts';

const machine = (address: string, install = ''): MachineSpec => ({
  image: 'debian/12',
  address,
  setup:
    install &&
    `DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${install} >/dev/null 2>&1; systemctl disable -q --now ${install}`,
});

/** Three that can be web nodes. */
const MACHINES: Readonly<Record<string, MachineSpec>> = {
  one: machine('198.18.1.11', 'nginx'),
  two: machine('198.18.1.12', 'nginx'),
  three: machine('198.18.1.14', 'nginx'),
  lb: machine('198.18.1.13'),
};

const LAB = (ssh: string, web1: string, web2: string): string => `name: moves
provider: ssh
ssh: ${ssh}
nodes:
  web1: { server: nginx, address: ${web1} }
  web2: { server: nginx, address: ${web2}, ssh: { user: lab } }
  proxyha: { address: 198.18.1.13 }
balancer:
  check: { path: /, inter: 500ms }
`;

describe('nodes that move to other machines', () => {
  const machines = new Machines();
  const { host } = machines;
  const names = Object.keys(MACHINES);
  const at = (web1: string, web2: string): void => host.write(LAB(machines.ssh(), web1, web2));
  const mark = (name: string): Promise<string> =>
    machines.on(name, 'cat /var/lib/lablb/*.json 2>/dev/null || :');
  const expectGivenBack = async (name: string): Promise<void> =>
    expect(difference(before[name]!, await machines.stateOf(name)), name).toEqual([]);
  const expectAtRest = async (): Promise<void> => {
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
    expect(await host.must('up')).toMatch(/nothing to do/);
  };
  const REASON = 'because the topology has it at another address now';
  let before: Record<string, string[]>;

  beforeAll(async () => {
    await machines.start(MACHINES);
    before = await machines.statesOf(names);
    at('198.18.1.11', '198.18.1.12');
    await host.must('up');
  }, 300_000);
  afterAll(() => machines.close());

  it('the old one is given back, first and with a reason', async () => {
    at('198.18.1.14', '198.18.1.12');
    expect(await host.must('up', '--dry-run')).toMatch(
      new RegExp(`^ +web1@198\\.18\\.1\\.11 +take away +${REASON}$`, 'm'),
    );
    expect(await mark('one')).toContain('"node":"web1"');
    expect(await host.must('up')).toContain(REASON);
    await expectGivenBack('one');
    expect(await mark('three')).toContain('"node":"web1"');
    await expectAtRest();
  });

  it('two may swap theirs', async () => {
    at('198.18.1.12', '198.18.1.14');
    await host.must('up');
    expect(await mark('two')).toContain('"node":"web1"');
    expect(await mark('three')).toContain('"node":"web2"');
    await expectAtRest();
  });

  it('a machine that only has another address stays the node’s, whether the old one answers or not', async () => {
    const known = readFileSync(machines.knownHosts, 'utf8')
      .split('\n')
      .find((line) => line.startsWith('198.18.1.14 '))!;
    const own = await mark('three');
    expect(own).toMatch(/"id":"[0-9a-f-]{36}"/);
    for (const [another, then] of [
      ['198.18.1.24', ':'],
      ['198.18.1.34', 'ip address del 198.18.1.24/24 dev eth0'],
    ] as const) {
      appendFileSync(machines.knownHosts, `${known.replace('198.18.1.14', another)}\n`);
      await machines.on('three', `ip address add ${another}/24 dev eth0; ${then}`);
      at('198.18.1.12', another);
      expect(await host.must('up', '--dry-run')).not.toMatch(/take away|given back/);
      expect(await host.must('up')).not.toMatch(/take away|given back/);
      expect(await mark('three')).toBe(own);
      await expectAtRest();
    }
    const [lab] = await host.json<{ notes: string[] }[]>('status');
    expect(lab!.notes).toEqual([]);
    at('198.18.1.12', '198.18.1.14');
    await host.must('up');
    expect(await mark('three')).toBe(own);
  });

  it('an old one that does not answer is no obstacle, and is given back when it does', async () => {
    await host.lxc('pause', 'two');
    at('198.18.1.11', '198.18.1.14');
    const note =
      /web1@198\.18\.1\.12: the topology has it at another address now, and it cannot be given back: .*198\.18\.1\.12.*; the next `lablb up` tries again/;
    expect(await host.must('up', '--dry-run')).toMatch(note);
    expect(await host.must('up')).toMatch(note);
    expect(await host.must('status')).toMatch(note);
    await host.must('test', 'roundrobin');
    await host.lxc('start', 'two');
    expect(await driftOf(host)).toEqual(['web1@198.18.1.12: take away']);
    await host.must('up');
    await expectGivenBack('two');
    await expectAtRest();
  });

  it('down knows of it too, and gives it up when told to', async () => {
    await host.lxc('pause', 'one');
    at('198.18.1.12', '198.18.1.14');
    await host.must('up');
    const down = await host.lablb('down');
    expect(down.status).toBe(1);
    expect(down.stderr).toMatch(/1 of 4 nodes is not given back[\s\S]*web1@198\.18\.1\.11: /);
    for (const name of ['two', 'three', 'lb']) await expectGivenBack(name);
    expect(await host.must('down', '--forget')).toMatch(/given up and left as it is web1@198\.18\.1\.11/);
    await host.lxc('start', 'one');
    expect(await mark('one')).toContain('"node":"web1"');
    // Whoever means it again gets it as the lab left it.
    at('198.18.1.11', '198.18.1.14');
    await host.must('up');
    await host.must('down');
    for (const name of names) await expectGivenBack(name);
  });

  it('an address that was a mistake leaves nothing to give back', async () => {
    at('198.18.1.99', '198.18.1.12');
    appendFileSync(machines.knownHosts, '198.18.1.99 ssh-ed25519 AAAA\n');
    expect((await host.lablb('up')).status).toBe(1);
    at('198.18.1.11', '198.18.1.12');
    expect(await host.must('up')).not.toContain('198.18.1.99');
    await expectAtRest();
    await host.must('down');
    for (const name of names) await expectGivenBack(name);
  });
});
