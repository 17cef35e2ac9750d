import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, type MachineSpec, Machines } from './machines.ts';
import { driftOf } from './support.ts';

/** A ruleset as people write one: SSH alone, and a word to all others. */
const BY_POLICY = `#!/usr/sbin/nft -f
flush ruleset

table inet filter {
	set bad {
		type ipv4_addr
		elements = { 192.0.2.66 }
	}

	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname "lo" accept
		ip saddr @bad drop
		meta l4proto { icmp, ipv6-icmp } accept
		tcp dport ssh accept comment "SSH alone"
		limit rate 5/second counter reject
	}

	chain output {
		type filter hook output priority filter; policy accept;
	}
}
`;

/** Another way: everything is accepted but for the last rule. The balancer's port is open. */
const BY_LAST_RULE = `flush ruleset
table ip mine {
	chain incoming {
		type filter hook input priority 5; policy accept;
		ct state { established, related } accept
		iif lo accept
		ct state new tcp dport { 22, 80, 7000-7003 } accept
		log prefix "refused: " drop
	}
}
`;

const guarded = (address: string, ruleset: string, install: string): MachineSpec => ({
  image: 'debian/12',
  address,
  setup: `DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nftables ${install} >/dev/null 2>&1
[ -z "${install}" ] || systemctl disable -q --now ${install}
cat >/etc/nftables.conf <<'EOT'
${ruleset}EOT
systemctl enable -q --now nftables`,
});

/** The ruleset lies in another place on Red Hat's systems, and their unit empties the kernel's when it reloads. */
const REDHAT: MachineSpec = {
  image: 'rockylinux/8',
  address: '198.18.1.12',
  setup: `dnf install -y -q httpd >/dev/null
mkdir -p /etc/nftables /etc/sysconfig
cat >/etc/nftables/main.nft <<'EOT'
${BY_POLICY.replace(/^#!.*\nflush ruleset\n/, '')}EOT
echo 'include "/etc/nftables/main.nft"' >/etc/sysconfig/nftables.conf
cat >/usr/lib/systemd/system/nftables.service <<'EOT'
[Unit]
Wants=network-pre.target
Before=network-pre.target

[Service]
Type=oneshot
ProtectSystem=full
ProtectHome=true
ExecStart=/sbin/nft -f /etc/sysconfig/nftables.conf
ExecReload=/sbin/nft 'flush ruleset; include "/etc/sysconfig/nftables.conf";'
ExecStop=/sbin/nft flush ruleset
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
EOT
systemctl daemon-reload
systemctl enable -q --now nftables`,
};
const MACHINES: Readonly<Record<string, MachineSpec>> = {
  web1: guarded('198.18.1.11', BY_POLICY, 'nginx'),
  web2: REDHAT,
  proxyha: guarded('198.18.1.13', BY_LAST_RULE, ''),
};

const LAB = (ssh: string, stats = 8080): string => `name: walls
provider: ssh
ssh: ${ssh}
nodes:
  web1: { server: nginx, address: 198.18.1.11 }
  web2: { server: httpd, address: 198.18.1.12 }
  proxyha: { address: 198.18.1.13, ssh: { user: lab } }
balancer:
  check: { path: /, inter: 500ms }
  stats: { port: ${stats} }
`;

describe('machines with a ruleset of nftables of their own', () => {
  const machines = new Machines();
  const { host } = machines;
  const names = Object.keys(MACHINES);
  const states = () => machines.statesOf(names);
  const ruleset = (name: string): Promise<string> => machines.on(name, 'nft -s list ruleset');
  const ours = async (name: string): Promise<string[]> =>
    (await ruleset(name)).split('\n').flatMap((line) => /^\t*(.*) comment "lablb"$/.exec(line)?.[1] ?? []);
  const page = (address: string) => host.run('curl', '-sS', '-m', '5', `http://${address}/`);
  let before: Record<string, string[]>;

  beforeAll(async () => {
    await machines.start(MACHINES);
    before = await states();
    host.write(LAB(machines.ssh()));
  }, 300_000);
  afterAll(() => machines.close());

  it('keep the lab out by themselves', async () => {
    expect(before.web1!.join('\n')).toContain('SSH alone');
    await machines.on('web1', 'systemctl start nginx');
    expect((await page('198.18.1.11')).status).not.toBe(0);
    await machines.on('web1', 'systemctl stop nginx');
  });

  it('have the ports of the topology opened, where they are closed, before what refuses the rest', async () => {
    await host.must('up');
    expect(await ours('web1')).toEqual(['tcp dport 80 accept']);
    expect(await ours('web2')).toEqual(['tcp dport 80 accept']);
    expect(await ruleset('web1')).toMatch(/"SSH alone"\n.* comment "lablb"\n.*reject\n/);
    expect(await ours('proxyha')).toEqual(['tcp dport 8080 accept']);
    expect(await ruleset('proxyha')).toMatch(/7000-7003 } accept\n.* comment "lablb"\n.* drop\n/);
    expect(await machines.on('web1', 'cat /etc/nftables.conf')).toBe(BY_POLICY);
    expect((await page('198.18.1.11')).stdout).toContain('SITE1');
    expect((await page('198.18.1.13:8080')).stderr).toBe('');
    expect(await driftOf(host)).toEqual([]);
    expect(await host.must('up')).toMatch(/nothing to do/);
    await host.must('test', 'roundrobin');
  });

  it.each(['restart', 'reload'])('stay open when their unit is told to %s', async (verb) => {
    for (const name of names) await machines.on(name, `systemctl ${verb} nftables`);
    for (const name of ['web1', 'web2']) expect(await ours(name)).toEqual(['tcp dport 80 accept']);
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
  });

  it('stay open when the machine starts anew', async () => {
    for (const name of ['web1', 'web2']) {
      await host.must('restart', name);
      expect(await ours(name)).toEqual(['tcp dport 80 accept']);
    }
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
  });

  it('are told of when the ruleset is loaded by hand, and mended', async () => {
    await machines.on('web1', 'nft -f /etc/nftables.conf');
    expect((await page('198.18.1.11')).status).not.toBe(0);
    const [lab] = await host.json<{ drift: { node: string; what: string; why: string }[] }[]>('status');
    expect(lab!.drift.map(({ node, what, why }) => `${node}: ${what}, ${why}`)).toEqual([
      'web1: allow 80/tcp in nftables, nftables is active and 80/tcp is closed',
    ]);
    await host.must('up');
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
  });

  it('have a port closed that the topology no longer has', async () => {
    host.write(LAB(machines.ssh(), 8081));
    await host.must('up');
    expect(await ours('proxyha')).toEqual(['tcp dport 8081 accept']);
    expect(await driftOf(host)).toEqual([]);
  });

  it('are as they were after down, to the byte, and after the next start', async () => {
    await host.must('down');
    const after = await states();
    for (const name of names) expect(difference(before[name]!, after[name]!), name).toEqual([]);
    for (const name of names) await machines.on(name, 'systemctl restart nftables');
    const later = await states();
    for (const name of names) expect(difference(before[name]!, later[name]!), name).toEqual([]);
  });
});
