import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SshMachine, type SshTarget } from '../../src/shell/ssh.ts';
import { needs } from '../support/needs.ts';
import { reservePort } from '../support/ports.ts';
import { type Sshd, signal, startSshd } from '../support/sshd.ts';

describe.skipIf(!needs('sshd'))('SshMachine, with a real sshd', () => {
  let sshd: Sshd;
  let shared: SshMachine;
  beforeAll(async () => {
    sshd = await startSshd();
    shared = new SshMachine(target());
  }, 30_000);
  afterAll(async () => {
    await shared?.close();
    await sshd?.stop();
  });

  const target = (other: Partial<SshTarget> = {}): SshTarget => ({
    host: '127.0.0.1',
    port: sshd.port,
    user: sshd.user,
    key: sshd.key,
    sudo: false,
    hostKeys: { files: [sshd.knownHosts], unknown: 'strict' },
    ...other,
  });
  const refusal = async (other: Partial<SshTarget>) => {
    const machine = new SshMachine(target(other));
    return machine.run(['true']).then(
      () => machine.close().then(() => 'it went through'),
      (error) => error,
    );
  };

  it('runs commands: output, errors, statuses, input', async () => {
    expect(await shared.run(['sh', '-c', 'cat; echo e >&2; exit 3'], { input: 'in' })).toEqual({
      exitStatus: 3,
      stdout: 'in',
      stderr: 'e\n',
    });
    expect((await shared.run(['no-such-program-anywhere'])).exitStatus).toBe(127);
    expect((await shared.run(['sh', '-c', 'kill -KILL $$'])).exitStatus).toBe(137);
    expect((await shared.run(['cat'])).stdout).toBe('');
  });

  it('hands awkward arguments over as they are', async () => {
    const args = ["it's", '$(id)', '`id`', 'a b', '', '\n', '*', '\\', '"', '-n', 'é€😀', '!!', '; exit 9'];
    const { stdout } = await shared.run(['printf', '%s\\0', ...args], { env: { X: "'" } });
    expect(stdout).toBe(args.map((arg) => `${arg}\0`).join(''));
  });

  it('keeps one connection for many commands at once, more than the server takes', async () => {
    const all = await Promise.all(
      Array.from({ length: 25 }, (_, i) =>
        shared.run(['sh', '-c', 'echo $1 $SSH_CONNECTION', 'sh', String(i)]),
      ),
    );
    expect(all.map(({ stdout }) => stdout.split(' ')[0])).toEqual(all.map((_, i) => String(i)));
    expect(new Set(all.map(({ stdout }) => stdout.split(' ')[2])).size).toBe(1);
  });

  it('loses neither status nor output of commands that are over at once', async () => {
    for (let i = 0; i < 40; i++)
      expect(await shared.run(['sh', '-c', 'echo x; exit 7'], { input: 'not wanted'.repeat(1000) })).toEqual({
        exitStatus: 7,
        stdout: 'x\n',
        stderr: '',
      });
  });

  it('streams a large file in', async () => {
    const source = join(sshd.folder, 'large');
    writeFileSync(source, Buffer.alloc(9_000_001, 'x'));
    const to = join(sshd.folder, 'large copy');
    expect(await shared.run(['sh', '-c', 'cat >"$1"', 'sh', to], { source })).toMatchObject({
      exitStatus: 0,
    });
    expect(readFileSync(to).equals(readFileSync(source))).toBe(true);
  });

  it('ends a command that hangs, here and there', async () => {
    const pidFile = join(sshd.folder, 'pid');
    const hangs = shared.run(['sh', '-c', 'echo $$ >"$1"; echo half >&2; sleep 600', 'sh', pidFile], {
      timeoutMs: 3000,
    });
    await expect(hangs).rejects.toMatchObject({ fields: { code: 'command.timeout', stderr: 'half\n' } });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    for (let i = 0; i < 200 && existsSync(`/proc/${pid}`); i++) await sleep(50);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect((await shared.run(['echo', 'still here'])).stdout).toBe('still here\n');
  });

  it('gives up when it is told to', async () => {
    const stop = new AbortController();
    const run = shared.run(['sleep', '600'], { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    await expect(run).rejects.toThrow('enough');
  });

  it('refuses a key that the machine does not take', async () => {
    expect(await refusal({ key: join(sshd.folder, 'other') })).toMatchObject({
      fields: { code: 'ssh.auth' },
    });
  });

  it.each([
    ['a file that is not there', 'nothing', /cannot be read \(ENOENT\)/],
    ['the public half', 'id.pub', /no private key|others may read/],
  ])('refuses %s as a key', async (_, name, message) => {
    expect(String(await refusal({ key: join(sshd.folder, name) }))).toMatch(message);
  });

  it('refuses a key that others may read, and one with a passphrase when there is no agent', async () => {
    const open = join(sshd.folder, 'open');
    writeFileSync(open, readFileSync(sshd.key), { mode: 0o644 });
    expect(await refusal({ key: open })).toMatchObject({ message: `others may read the key ${open}` });
    const locked = join(sshd.folder, 'locked');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', locked]);
    const agent = process.env.SSH_AUTH_SOCK;
    delete process.env.SSH_AUTH_SOCK;
    try {
      expect(await refusal({ key: locked })).toMatchObject({ message: `the key ${locked} has a passphrase` });
    } finally {
      if (agent !== undefined) process.env.SSH_AUTH_SOCK = agent;
    }
  });

  it('refuses a machine that is not known, and one whose key has changed', async () => {
    const files = [join(sshd.folder, 'empty', 'known_hosts')];
    expect(await refusal({ hostKeys: { files, unknown: 'strict' } })).toMatchObject({
      message: expect.stringMatching(/is not known: SHA256:\S{43}$/),
      fields: { code: 'ssh.host-key-unknown' },
    });
    expect(existsSync(files[0]!)).toBe(false);
    const changed = join(sshd.folder, 'changed');
    writeFileSync(changed, sshd.strangerLine);
    for (const unknown of ['strict', 'accept-new'] as const)
      expect(await refusal({ hostKeys: { files: [changed], unknown } })).toMatchObject({
        message: expect.stringContaining('has changed'),
        fields: { code: 'ssh.host-key-changed' },
      });
    expect(readFileSync(changed, 'utf8')).toBe(sshd.strangerLine);
  });

  it('takes a new key when it may, and knows it from then on', async () => {
    const file = join(sshd.folder, 'new', 'known_hosts');
    const newcomer = new SshMachine(target({ hostKeys: { files: [file], unknown: 'accept-new' } }));
    expect((await newcomer.run(['echo', 'hello'])).stdout).toBe('hello\n');
    await newcomer.close();
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(sshd.knownHosts, 'utf8'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = new SshMachine(target({ hostKeys: { files: [file], unknown: 'strict' } }));
    expect((await again.run(['echo', 'again'])).stdout).toBe('again\n');
    await again.close();
  });

  it('goes through another machine', async () => {
    const behind = new SshMachine(target(), shared);
    const { stdout } = await behind.run(['sh', '-c', 'echo $SSH_CONNECTION']);
    const { stdout: front } = await shared.run(['sh', '-c', 'echo $SSH_CONNECTION']);
    expect(stdout.split(' ')[1]).not.toBe(front.split(' ')[1]);
    await behind.close();
  });

  it('says what is wrong when nothing listens, and when nothing answers', async () => {
    expect(await refusal({ port: await reservePort() })).toMatchObject({
      message: expect.stringContaining('nothing listens on'),
      fields: { code: 'ssh.refused' },
    });
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    expect(await refusal({ port, connectMs: 300 })).toMatchObject({ fields: { code: 'ssh.timeout' } });
    mute.close();
  });

  it('keeps lablb running while it waits for one behind another machine', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const front = new SshMachine(target());
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    await front.run(['true']);
    const idle = sockets();
    const behind = new SshMachine(target({ port, connectMs: 4000 }), front);
    const refused = behind.run(['true']).catch((error) => error);
    await sleep(1000);
    // The other end of the way is this process too: what counts is the socket that is awaited.
    expect(sockets()).toBeGreaterThan(idle + 1);
    expect(await refused).toMatchObject({ fields: { code: 'ssh.timeout' } });
    mute.close();
    await front.close();
  });

  it('connects anew when the connection was lost', async () => {
    const others = sshd.sessions();
    const machine = new SshMachine(target());
    const before = await machine.run(['sh', '-c', 'echo $SSH_CONNECTION']);
    for (const pid of sshd.sessions()) if (!others.includes(pid)) signal(pid, 'SIGKILL');
    let after = await machine.run(['sh', '-c', 'echo $SSH_CONNECTION']).catch((error) => error);
    // The news may come while the command is on its way: then it is said, and the next one goes through.
    if (after instanceof Error) {
      expect(after).toMatchObject({ fields: { code: 'ssh.lost' } });
      after = await machine.run(['sh', '-c', 'echo $SSH_CONNECTION']);
    }
    expect(after.stdout.split(' ')[1]).not.toBe(before.stdout.split(' ')[1]);
    await machine.close();
  });

  it('does not keep lablb running when it is idle', async () => {
    const machine = new SshMachine(target());
    const connections = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    await shared.run(['true']);
    const before = connections();
    await machine.run(['true']);
    expect(connections()).toBe(before);
    const run = machine.run(['cat', join(sshd.folder, 'sshd_config')]);
    await machine.run(['true']);
    await run;
    expect(connections()).toBe(before);
    await machine.close();
  });
});

describe.skipIf(!needs('sshd'))('SshMachine, with an sshd that stops', () => {
  it('says that the machine stopped answering in mid-command, long before the deadline', async () => {
    const sshd = await startSshd();
    try {
      const machine = new SshMachine({
        host: '127.0.0.1',
        port: sshd.port,
        user: sshd.user,
        key: sshd.key,
        sudo: false,
        hostKeys: { files: [sshd.knownHosts], unknown: 'strict' },
        silenceMs: 600,
      });
      await machine.run(['true']);
      const run = machine.run(['sleep', '120'], { timeoutMs: 100_000 });
      run.catch(() => undefined);
      await sleep(300);
      for (const pid of sshd.sessions()) signal(pid, 'SIGSTOP');
      await expect(run).rejects.toMatchObject({ fields: { code: 'ssh.silent' } });
    } finally {
      await sshd.stop();
    }
  }, 30_000);
});
