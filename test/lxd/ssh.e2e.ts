import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemctl } from '../../src/os/systemd.ts';
import { SshProvider } from '../../src/providers/ssh/ssh.ts';
import { providerSuite } from '../providers/conformance.ts';
import { topologyOf } from '../support/topology.ts';
import { difference, type MachineSpec, Machines } from './machines.ts';
import { driftOf, LABLB, type Said } from './support.ts';

/** What the lab needs is there before, off and untouched, so that a whole /etc can be compared. */
const MACHINES: Readonly<Record<string, MachineSpec>> = {
  web1: {
    image: 'rockylinux/8',
    address: '198.18.1.11',
    setup:
      'dnf install -y -q httpd firewalld >/dev/null; systemctl enable -q --now firewalld; firewall-cmd -q --permanent --add-port=9/tcp; firewall-cmd -q --reload',
  },
  web2: {
    image: 'debian/12',
    address: '198.18.1.12',
    setup:
      'DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nginx ufw >/dev/null 2>&1; systemctl disable -q --now nginx; ufw allow 22/tcp >/dev/null; ufw --force enable >/dev/null; echo mine >/etc/hosts.orig; printf "192.0.2.7 mine" >>/etc/hosts',
  },
  proxyha: { image: 'debian/12', address: '198.18.1.13' },
};

/** web1: root, Rocky, firewalld. web2: a sudo user, through web1, Debian, ufw. proxyha: a sudo user. */
const LAB = (ssh: string): string => `name: machines
provider: ssh
ssh: ${ssh}
nodes:
  web1: { server: httpd, address: 198.18.1.11 }
  web2: { server: nginx, address: 198.18.1.12, ssh: { user: lab, jump: root@198.18.1.11 } }
  proxyha: { address: 198.18.1.13, ssh: { user: lab } }
balancer:
  balance: roundrobin
  check: { path: /, inter: 500ms }
  stats: { port: 8080 }
  log: { rsyslog: /var/log/haproxy.log }
`;

const machines = new Machines();
const { host } = machines;
const names = Object.keys(MACHINES);
const states = () => machines.statesOf(names);
let before: Record<string, string[]>;

/** Nothing of a lab is left on the machines. */
async function expectGivenBack(): Promise<void> {
  const after = await states();
  for (const name of names) expect(difference(before[name]!, after[name]!), name).toEqual([]);
}

beforeAll(async () => {
  await machines.start(MACHINES);
  before = await states();
}, 300_000);
afterAll(() => machines.close());

describe('provider ssh, on a machine of each family', () => {
  const relays: (() => void)[] = [];
  afterAll(() => relays.forEach((close) => void close()));
  for (const [name, user] of [
    ['web1', 'root'],
    ['proxyha', 'lab'],
  ] as const) {
    let provider: SshProvider | undefined;
    const edit = async (_: string, path: string, content: string): Promise<void> =>
      void (await machines.on(name, `printf %s '${content}' >${path}`));
    providerSuite(`ssh (${MACHINES[name]!.image}, ${user})`, async () => {
      if (!provider) {
        const { port, close } = await machines.relay(MACHINES[name]!.address);
        relays.push(close);
        const [, type, blob] = readFileSync(machines.knownHosts, 'utf8')
          .split('\n')
          .find((line) => line.startsWith(`${MACHINES[name]!.address} `))!
          .split(' ');
        const known = `${machines.knownHosts}.${name}`;
        writeFileSync(known, `[127.0.0.1]:${port} ${type} ${blob}\n`);
        const lab = topologyOf(
          `name: conformance\nprovider: ssh\nssh: { key: ${machines.key}, knownHostsFile: ${known} }\nnodes: { web1: { address: 198.18.1.11, ssh: { host: 127.0.0.1, port: ${port}, user: ${user} } }, proxyha: { address: 192.0.2.2 } }\n`,
        );
        provider = new SshProvider({ ...lab, nodes: lab.nodes.slice(0, 1) });
      }
      await provider.destroy('web1');
      const unit = '/etc/systemd/system/stay.service';
      return {
        provider,
        lab: 'conformance',
        service: {
          name: 'stay',
          file: {
            path: unit,
            content: `[Service]\nExecStart=/bin/sleep infinity\nExecStartPost=/bin/sh /var/lib/lablb/note stay ${unit}\n[Install]\nWantedBy=multi-user.target\n`,
          },
          ask: (action) =>
            action === 'status' ? ['systemctl', 'is-active', '-q', 'stay'] : systemctl(action, 'stay'),
        },
        edit,
      };
    });
  }

  it('leaves the machines as they were', expectGivenBack);
});

describe('a lab on machines', () => {
  beforeAll(() => host.write(LAB(machines.ssh())));

  it('says what it would open, and why, before it touches anything', async () => {
    expect(
      await machines.on(
        'web1',
        'systemctl start httpd; curl -s -o /dev/null -w %{http_code} http://127.0.0.1/',
      ),
    ).toMatch(/\d/);
    const reach = await host.tryLxc(
      'exec',
      'proxyha',
      '-T',
      '--',
      'curl',
      '-sS',
      '-m',
      '5',
      'http://198.18.1.11/',
    );
    expect(reach.status, reach.stdout).not.toBe(0);
    await machines.on('web1', 'systemctl stop httpd');
    await host.must('up', '--dry-run');
    await expectGivenBack();
  });

  it('comes up: packages, files, services, and ports of active firewalls', async () => {
    const said = await host.must('up');
    expect(said).toMatch(/steps done/);
    expect(await machines.on('web1', 'firewall-cmd --list-ports')).toBe('9/tcp 80/tcp\n');
    expect(await machines.on('web2', 'ufw status')).toMatch(/^80\/tcp +ALLOW/m);
    expect(await machines.on('web2', 'ufw status')).not.toContain('8080');
    expect(await machines.on('proxyha', 'curl -sS -m 5 http://198.18.1.11/')).toContain('SITE1');
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
  });

  it('has nothing to do the second time, and says so soon', async () => {
    const started = performance.now();
    expect(await host.must('up')).toMatch(/nothing to do/);
    console.log(`second up: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  });

  it('sees and mends what is changed by hand, a firewall’s rule too', async () => {
    await machines.on(
      'web1',
      'firewall-cmd -q --remove-port=80/tcp; echo x >>/usr/share/httpd/noindex/index.html',
    );
    await machines.on('web2', 'systemctl stop nginx; ufw delete allow 80/tcp >/dev/null');
    const [lab] = await host.json<{ drift: { node: string; what: string; why: string }[] }[]>('status');
    expect(lab!.drift.map(({ node, what, why }) => `${node}: ${what}, ${why}`)).toEqual([
      'web1: write /usr/share/httpd/noindex/index.html, it was changed by hand',
      'web1: allow 80/tcp in firewalld, firewalld is active and 80/tcp is closed',
      'web2: allow 80/tcp in ufw, ufw is active and 80/tcp is closed',
      'web2: start service nginx, it is not running',
    ]);
    await host.must('up');
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
  });

  it('runs commands, shows logs as they come, and opens shells', async () => {
    expect(await host.must('exec', 'web2', '--', 'id', '-un')).toBe('root\n');
    const follow = host.start(process.execPath, LABLB, 'logs', 'proxyha', '--follow');
    const heard = follow.heard(/GET \/followed/).then(() => true);
    // It follows from when it is there; what was asked before then it may not show.
    for (let i = 0; i < 30; i++) {
      await machines.on('web1', 'curl -s -o /dev/null http://198.18.1.13/followed');
      if (await Promise.race([heard, sleep(500, false)])) break;
    }
    host.signal(follow.child, 'SIGINT');
    expect((await follow.ended).stdout).toMatch(/GET \/followed/);
    const shell = host.start(
      'sh',
      '-c',
      `echo 'echo "in $(hostname)"' | "$@"`,
      'sh',
      process.execPath,
      LABLB,
      'shell',
      'web2',
    );
    expect((await shell.ended).stdout).toContain('in web2');
  });

  it('restarts a machine and waits for it', async () => {
    const run = (): Promise<string> => machines.on('web1', "sed 's/.*) //' /proc/1/stat | cut -d' ' -f20");
    const was = await run();
    await host.must('restart', 'web1');
    expect(await run()).not.toBe(was);
    await host.must('up');
    await host.must('test', 'roundrobin');
  });

  it('leaves the others alone when a machine does not answer', async () => {
    await host.lxc('pause', 'web2');
    await machines.on('web1', 'systemctl stop httpd');
    const status = await host.lablb('status');
    expect(status.stdout, status.stderr).toMatch(/web2 +unreachable \(.*(no answer|stopped answering|lost)/);
    const up = await host.lablb('up');
    expect(up.status).toBe(1);
    expect(up.stderr).toMatch(/✖ web2: /);
    expect((await machines.on('web1', 'systemctl is-active httpd')).trim()).toBe('active');
    const down = await host.lablb('down');
    expect(down.status).toBe(1);
    expect(down.stderr).toMatch(/1 of 3 nodes is not given back[\s\S]*web2: /);
    await host.lxc('start', 'web2');
    await host.must('down');
    await expectGivenBack();
  });
});

describe('an up that is killed', () => {
  it('ten times at random, converges; and down gives all back', async () => {
    const seed = Number(process.env.LABLB_SEED ?? Date.now() % 100_000);
    console.log(`seed ${seed} (LABLB_SEED)`);
    const random = randomFrom(seed);
    host.write(LAB(machines.ssh()));
    for (let i = 0; i < 10; i++) {
      const after = 300 + random() * 7000;
      const { child, ended } = host.start(process.execPath, LABLB, 'up');
      await sleep(after);
      host.signal(child, 'SIGKILL');
      await ended;
      console.log(`killed ${Math.round(after)} ms into up`);
      if (i % 3 === 2) await host.must('down');
    }
    await host.must('up');
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
    await host.must('down');
    await expectGivenBack();
  }, 900_000);
});

describe('packages', () => {
  it('stay, unless they are to go', async () => {
    host.write(
      LAB(machines.ssh())
        .replace('web1: { ', 'web1: { packages: [tree], ')
        .replace('proxyha: { ', 'proxyha: { engine: haproxy, packages: [tree], '),
    );
    await host.must('up');
    expect(await host.must('down')).toMatch(
      /web1 keeps tree {3}\(lablb down --purge of the next lab[\s\S]*proxyha keeps haproxy .*tree/,
    );
    expect(await machines.on('web1', 'rpm -q tree; cat /var/lib/lablb/packages')).toMatch(
      /^tree-[\s\S]*down --purge[\s\S]*\ntree\n/,
    );
    // Another lab finds them there, and knows whose they are.
    await host.must('up');
    expect(await host.must('down', '--purge')).not.toContain('keeps');
    expect((await host.tryLxc('exec', 'web1', '--', 'rpm', '-q', 'tree')).status).toBe(1);
    expect((await host.tryLxc('exec', 'proxyha', '--', 'dpkg', '-s', 'tree')).status).toBe(1);
    await expectGivenBack();
  });
});

describe('what can be wrong', () => {
  const refuse = async (ssh: string, edit = (text: string) => text): Promise<Said> => {
    host.write(edit(LAB(ssh)));
    const up = await host.lablb('up');
    expect(up.status).toBe(1);
    return up;
  };
  const downAfter = async (): Promise<void> => {
    host.write(LAB(machines.ssh()));
    await host.must('up');
    await host.must('down');
    await expectGivenBack();
  };

  // The way to web2 leads through web1: what is wrong there is wrong for both, and told once.
  it('a key that the machine does not take', async () => {
    await host.run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${machines.key}.other`);
    const { stderr } = await refuse(machines.ssh().replace('id,', 'id.other,'));
    expect(stderr).toMatch(
      /✖ web1, web2: root@198\.18\.1\.11:22 takes none of the keys and passwords there are[\s\S]*ssh-copy-id/,
    );
  });

  it('a host key that is not known, and one that has changed', async () => {
    writeFileSync(`${machines.knownHosts}.empty`, '');
    const unknown = await refuse(machines.ssh().replace('known_hosts', 'known_hosts.empty'));
    expect(unknown.stderr).toMatch(/✖ web1, web2: .*198\.18\.1\.11/);
    expect(unknown.stderr).toMatch(/accept-new|ssh-keyscan/);
    const others = readFileSync(machines.knownHosts, 'utf8')
      .replace('198.18.1.11 ', 'x ')
      .replace('198.18.1.13 ', '198.18.1.11 ');
    writeFileSync(`${machines.knownHosts}.changed`, others);
    const changed = await refuse(machines.ssh().replace('known_hosts', 'known_hosts.changed'));
    expect(changed.stderr).toMatch(/✖ web1, web2: .*(changed|another)/);
    const dry = await host.lablb('up', '--dry-run');
    expect(dry.status).toBe(1);
    expect(dry.stderr).toMatch(/✖ web1, web2: .*(changed|another)/);
  });

  it('a user who may not be root', async () => {
    await machines.on('proxyha', 'chmod 600 /etc/sudoers.d/lab; mv /etc/sudoers.d/lab /root/lab.sudo');
    const { stderr } = await refuse(machines.ssh());
    await machines.on('proxyha', 'mv /root/lab.sudo /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab');
    expect(stderr).toMatch(/✖ proxyha: sudo [\s\S]*NOPASSWD/);
    await downAfter();
  });

  it('a disk that is full: nothing is half written', async () => {
    await machines.on('proxyha', 'mount -t tmpfs -o size=2m tmpfs /usr/local/sbin');
    const { stderr } = await refuse(machines.ssh());
    const left = await machines.on('proxyha', 'ls /usr/local/sbin');
    await machines.on('proxyha', 'umount /usr/local/sbin');
    expect(stderr).toMatch(/✖ proxyha: the disk is full/);
    expect(left).toBe('');
    await machines.on(
      'web1',
      'mount -t tmpfs -o size=4k tmpfs /usr/share/httpd/noindex; cat </dev/zero >/usr/share/httpd/noindex/full 2>/dev/null || :',
    );
    const page = await refuse(machines.ssh());
    const there = await machines.on('web1', 'ls /usr/share/httpd/noindex');
    await machines.on('web1', 'umount /usr/share/httpd/noindex');
    expect(page.stderr).toMatch(/✖ web1: the disk is full/);
    expect(there).toBe('full\n');
    await downAfter();
  });

  it('a machine that stops answering in mid-command', async () => {
    host.write(LAB(machines.ssh()).replace('web1: { ', 'web1: { commands: [sleep 60], '));
    const { ended } = host.start(process.execPath, LABLB, 'up');
    for (let i = 0; i < 300; i++) {
      if ((await host.tryLxc('exec', 'web1', '-T', '--', 'pgrep', '-xf', 'sleep 60')).status === 0) break;
      await sleep(200);
    }
    await host.lxc('pause', 'web1');
    const { status, stderr } = await ended;
    await host.lxc('start', 'web1');
    expect(status).toBe(1);
    expect(stderr).toMatch(/✖ web1: the machine stopped answering[\s\S]*lablb up/);
    await host.must('down');
    await downAfter();
  });

  it('two labs that want a machine at once: one has it, the other says whose it is', async () => {
    host.write(LAB(machines.ssh()));
    const rival = LAB(machines.ssh()).replace('name: machines', 'name: rival');
    writeFileSync(`${host.folder}/rival.lab.yaml`, rival);
    const both = await Promise.all([host.lablb('up', 'topology.yaml'), host.lablb('up', 'rival.lab.yaml')]);
    const owners = await Promise.all(names.map((name) => machines.on(name, 'ls /var/lib/lablb/*.json')));
    for (const owner of owners) expect(owner.trim().split('\n')).toHaveLength(1);
    expect(both.map(({ stderr }) => stderr).join('')).toMatch(
      /belongs to another lab \((machines|rival), as \w+\)/,
    );
    for (const lab of ['machines', 'rival']) await host.lablb('down', '--name', lab);
    rmSync(`${host.folder}/rival.lab.yaml`);
    await expectGivenBack();
  });
});

describe('who one is', () => {
  const only = (ssh: string): string => `name: who
provider: ssh
ssh: ${ssh}
nodes:
  web1: { server: httpd, address: 198.18.1.11 }
  proxyha: { address: 198.18.1.13 }
`;
  beforeAll(async () => {
    for (const name of ['web1', 'proxyha'])
      await machines.on(
        name,
        'echo lab:sesame | chpasswd; printf "Match User lab\\n PasswordAuthentication yes\\n" >/etc/ssh/sshd_config.d/lab.conf',
      );
    for (const name of ['web1', 'proxyha'])
      await machines.on(name, 'systemctl restart sshd 2>/dev/null || systemctl restart ssh');
  });
  const password = `{ user: lab, knownHostsFile: ${machines.knownHosts}, passwordEnv: LAB_PASSWORD }`;

  it('a password of the environment; a wrong one is told as such, and never shown', async () => {
    host.write(only(password));
    const env = (value: string, ...args: string[]) =>
      host.run(
        'env',
        '-u',
        'SSH_AUTH_SOCK',
        `HOME=${host.folder}`,
        `LAB_PASSWORD=${value}`,
        process.execPath,
        LABLB,
        ...args,
      );
    const wrong = await env('open-barley', 'up');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/web1: lab@198\.18\.1\.11:22 takes none of the keys and passwords/);
    expect(wrong.stderr + wrong.stdout).not.toContain('open-barley');
    expect((await env('sesame', 'up')).status).toBe(0);
    expect((await env('sesame', 'down')).status).toBe(0);
  });

  it('a password that is typed: asked for on a terminal, not shown', async () => {
    const command = `env -u SSH_AUTH_SOCK -u LAB_PASSWORD HOME=${host.folder} ${process.execPath} ${LABLB} up --dry-run`;
    const typed = await host.run(
      'sh',
      '-c',
      `(sleep 3; echo sesame; sleep 3; echo sesame; sleep 20) | timeout 60 script -qec "$1" /dev/null`,
      'sh',
      command,
    );
    expect(typed.stdout).toMatch(/Password of lab@198\.18\.1\.1[13]: /);
    expect(typed.stdout).toMatch(/web1 +create/);
    expect(typed.stdout).not.toContain('sesame');
  });

  it('an agent, which knows a key with a passphrase', async () => {
    const key = `${machines.key}.locked`;
    await host.run('ssh-keygen', '-q', '-t', 'ed25519', '-N', 'open sesame', '-f', key);
    const pub = readFileSync(`${key}.pub`, 'utf8').trim();
    for (const name of ['web1', 'proxyha'])
      await machines.on(name, `echo '${pub}' >>/root/.ssh/authorized_keys`);
    host.write(only(`{ key: ${key}, knownHostsFile: ${machines.knownHosts} }`));
    const without = await host.run('env', '-u', 'SSH_AUTH_SOCK', process.execPath, LABLB, 'up');
    expect(without.status).toBe(1);
    expect(without.stderr).toMatch(/has a passphrase[\s\S]*ssh-add/);
    const ask = `${host.folder}/ask`;
    writeFileSync(ask, '#!/bin/sh\necho open sesame\n', { mode: 0o755 });
    const script = `DISPLAY=x SSH_ASKPASS=${ask} SSH_ASKPASS_REQUIRE=force ssh-add -q "$1" && shift && "$@" up && "$@" down`;
    const with_ = await host.run('ssh-agent', 'sh', '-c', script, 'sh', key, process.execPath, LABLB);
    expect(with_.status, with_.stderr + with_.stdout).toBe(0);
    expect(existsSync(`${host.folder}/state/lablb/who`)).toBe(false);
  });
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
