import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Host } from './support.ts';

export interface MachineSpec {
  readonly image: 'rockylinux/8' | 'debian/12';
  readonly address: string;
  /** Shell that sets it up, as root. */
  readonly setup?: string;
}

/**
 * Machines that are there before any lab: containers with OpenSSH. The tests set them up and look at them through LXD;
 * lablb knows nothing of it, and reaches them over SSH alone.
 */
export class Machines {
  readonly host = new Host();
  readonly key = join(this.host.folder, 'id');
  readonly knownHosts = join(this.host.folder, 'known_hosts');

  async start(specs: Readonly<Record<string, MachineSpec>>): Promise<void> {
    await this.#must('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', this.key);
    await Promise.all(Object.entries(specs).map(([name, spec]) => this.#start(name, spec)));
    const lines = await Promise.all(
      Object.entries(specs).map(async ([name, { address }]) => {
        const [type, blob] = (await this.on(name, 'cat /etc/ssh/ssh_host_ed25519_key.pub')).split(' ');
        return `${address} ${type} ${blob}\n`;
      }),
    );
    writeFileSync(this.knownHosts, lines.join(''));
  }

  /** Runs shell on a machine, by LXD. */
  on(name: string, script: string): Promise<string> {
    return this.host.on(name, 'bash', '-c', script);
  }

  /** `ssh:` of a topology for these machines. */
  ssh(more = ''): string {
    return `{ key: ${this.key}, knownHostsFile: ${this.knownHosts}${more} }`;
  }

  /**
   * All that a lab may change on a machine and must give back: /etc file by file with mode, owner and content, folders
   * of services, services, firewalls; a line each. Copies of the list of users from before its last change tell nothing.
   */
  async stateOf(name: string): Promise<string[]> {
    const script = `
cd /
find etc var/lib/haproxy -xdev -printf '%p %y %m %U:%G %l\\n' 2>/dev/null | sort
find etc -xdev -type f ! -path 'etc/*-' -print0 | sort -z | xargs -0 sha256sum
systemctl list-unit-files --type=service --no-legend --no-pager | awk '{print "unit", $1, $2}'
systemctl list-units --type=service --state=active --no-legend --no-pager --plain | awk '!/^(user(-runtime-dir)?@|systemd-(hostnamed|timedated|localed))/ {print "active", $1}'
! systemctl is-active -q firewalld || { firewall-cmd --list-all; firewall-cmd --permanent --list-all; }
! grep -qs ENABLED=yes /etc/ufw/ufw.conf || ufw status
! systemctl is-active -q nftables || nft -s list ruleset
ls -d /var/lib/lablb /usr/local/sbin/lablb* /usr/local/lib/lablb* 2>/dev/null`;
    return (await this.on(name, `${script} || :`)).trimEnd().split('\n');
  }

  /** The same of several, by name. */
  async statesOf(names: readonly string[]): Promise<Record<string, string[]>> {
    const states = names.map(async (name) => [name, await this.stateOf(name)] as const);
    return Object.fromEntries(await Promise.all(states));
  }

  /** A port of this machine that leads to one of the sandbox, for a provider in the test's own process. */
  relay(address: string): Promise<{ port: number; close: () => void }> {
    const program = `const s=require('net').connect(22,'${address}');s.on('error',()=>process.exit(1));process.stdin.pipe(s);s.pipe(process.stdout)`;
    const server = createServer((socket) => {
      const child = spawn(join(this.host.sandbox, 'bin', 'inside'), [process.execPath, '-e', program], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      for (const stream of [socket, child.stdin, child.stdout]) stream.on('error', () => undefined);
      socket.pipe(child.stdin);
      child.stdout.pipe(socket);
      child.once('exit', () => socket.destroy());
      socket.once('close', () => child.kill());
    });
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () =>
        resolve({ port: (server.address() as AddressInfo).port, close: () => server.close() }),
      ),
    );
  }

  close(): Promise<void> {
    return this.host.close();
  }

  async #start(name: string, { image, address, setup = '' }: MachineSpec): Promise<void> {
    const { host } = this;
    await host.lxc('init', '--quiet', image, name);
    await host.lxc('config', 'device', 'override', name, 'eth0', `ipv4.address=${address}`);
    await host.lxc('start', name);
    const key = readFileSync(`${this.key}.pub`, 'utf8').trim();
    const up = `
for i in $(seq 300); do ip -4 address show eth0 | grep -q '${address}/' && break; sleep 0.2; done
install -d -m 700 /root/.ssh && echo '${key}' >/root/.ssh/authorized_keys
id -u lab >/dev/null 2>&1 || useradd -m -s /bin/bash lab; install -d -m 700 -o lab -g lab /home/lab/.ssh
install -m 600 -o lab -g lab /root/.ssh/authorized_keys /home/lab/.ssh/authorized_keys
echo 'lab ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/lab && chmod 440 /etc/sudoers.d/lab
! command -v apt-get >/dev/null || apt-get update -qq
${setup}
unit=sshd; systemctl cat sshd >/dev/null 2>&1 || unit=ssh
systemctl enable -q --now $unit`;
    for (let tries = 0; ; tries++) {
      const said = await host.tryLxc('exec', name, '-T', '--', 'bash', '-ec', up);
      if (said.status === 0) return;
      if (tries === 3) throw new Error(`${name}: ${said.stdout}${said.stderr}`);
      await sleep(2000);
    }
  }

  async #must(...argv: string[]): Promise<void> {
    const said = await this.host.run(...argv);
    expect(said.status, said.stderr).toBe(0);
  }
}

/** Lines of one and not of the other, marked as `diff` does. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !is.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !was.has(line)).map((line) => `+ ${line}`),
  ];
}
