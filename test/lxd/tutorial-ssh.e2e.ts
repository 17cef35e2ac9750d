import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MachineSpec, Machines } from './machines.ts';
import { driftOf } from './support.ts';

/** The addresses of the tutorial, on the network of the sandbox. */
const NETWORK = '198.18.1.';
const FIREWALLD = 'dnf install -y -q firewalld >/dev/null; systemctl enable -q --now firewalld';
const MACHINES: Readonly<Record<string, MachineSpec>> = {
  nginx1: { image: 'rockylinux/8', address: `${NETWORK}101`, setup: FIREWALLD },
  nginx2: { image: 'rockylinux/8', address: `${NETWORK}107` },
  loadbalancer: { image: 'rockylinux/8', address: `${NETWORK}108`, setup: FIREWALLD },
  ns1: { image: 'debian/12', address: `${NETWORK}105` },
  ns2: { image: 'rockylinux/8', address: `${NETWORK}109`, setup: FIREWALLD },
};

const machines = new Machines();
const { host } = machines;

beforeAll(async () => {
  await machines.start(MACHINES);
  host.topology('centos-ssh-nginx.yaml', (text) =>
    text
      .replaceAll('192.168.56.', NETWORK)
      .replace('ssh:\n  user: root\n', `ssh: ${machines.ssh(', user: root')}\n`)
      .replace(/^ +# (?:key|jump|knownHosts):.*\n/gm, ''),
  );
}, 300_000);
afterAll(() => machines.close());

/** Asks from a machine that is not the node itself: through the other's firewall. */
const from = (name: string, url: string): Promise<string> =>
  machines.on(name, `curl -sk -m 5 -o /dev/null -w %{http_code} ${url} || :`);

describe('the second tutorial on machines over SSH', () => {
  it('comes up, with the ports of active firewalls open', async () => {
    await host.must('up');
    expect(await machines.on('loadbalancer', 'firewall-cmd --list-ports')).toBe(
      '80/tcp 443/tcp 5000/tcp 8080/tcp\n',
    );
    expect(await machines.on('ns2', 'firewall-cmd --list-ports')).toBe('53/tcp 53/udp\n');
    expect(await from('nginx2', `https://${NETWORK}108/`)).toBe('200');
    expect(await from('nginx2', `http://${NETWORK}108:5000/`)).not.toBe('000');
    expect(await from('nginx2', `http://${NETWORK}101/`)).toBe('200');
  });

  it('has nothing to do the second time', async () => {
    expect(await driftOf(host)).toEqual([]);
    expect(await host.must('up')).toMatch(/nothing to do/);
  });

  it('holds what every suite asks', async () => {
    const said = await host.lablb('test', 'all');
    expect(said.status, said.stdout + said.stderr).toBe(0);
    for (const suite of [
      'roundrobin',
      'tls',
      'redirect',
      'logging',
      'stats',
      'errorfiles',
      'dns',
      'failover',
    ])
      expect(said.stdout).toMatch(new RegExp(`^${suite} · `, 'm'));
  });

  it('fails on purpose, and is mended by up', async () => {
    await host.must('fail', 'nginx1', '--how', 'error');
    expect(await from('loadbalancer', `http://${NETWORK}101/`)).toBe('500');
    expect(await host.must('status')).toMatch(/nginx1 .*failed by hand: error/);
    await host.must('up');
    expect(await from('loadbalancer', `http://${NETWORK}101/`)).toBe('200');
  });

  it('shows the statistics, and the log', async () => {
    // A busy machine may have missed a check.
    await expect
      .poll(() => host.must('stats', '--once'), { timeout: 30_000, interval: 1000 })
      .toMatch(/nginx1 +UP/);
    expect(await host.must('logs', 'loadbalancer')).toContain('http_frontend');
  });

  it('gives the machines back', async () => {
    await host.must('down');
    // With packages that stay a note of them does.
    for (const name of Object.keys(MACHINES))
      expect(await machines.on(name, 'ls /var/lib/lablb 2>/dev/null || echo none'), name).toMatch(
        /^(?:none|packages(?:\ntraces)?)\n$/,
      );
    expect(await machines.on('loadbalancer', 'firewall-cmd --list-ports')).toBe('\n');
  });
});
