import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { driftOf, Host } from './support.ts';

describe('the lab as a script', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
  });
  afterEach(() => host.close());

  it.each([
    ['rocky-lxd-apache.yaml', 'stats: { port: 8080, uri: /stats }', ''],
    ['debian-lxd-nginx.yaml', `user: haproxy, password: "\${STATS_PASSWORD:-s3cret#1'it}"`, "s3cret#1'it"],
  ])('%s: run by bash it makes a lab that lablb knows for its own', async (file, stats, password) => {
    host.topology(file, (text) =>
      text.replace(
        'stats: { port: 8080, uri: /stats }',
        stats.startsWith('stats') ? stats : `stats: { port: 8080, uri: /stats, ${stats} }`,
      ),
    );
    const script = await host.must('up', '--dry-run', '--format', 'sh');
    if (password) expect(script).not.toContain(password);
    expect(await host.instances()).toEqual([]);
    writeFileSync(join(host.folder, 'lab.sh'), script);

    const made = await host.run('env', `STATS_PASSWORD=${password}`, 'bash', 'lab.sh');
    expect(made.status, made.stderr).toBe(0);
    expect(await host.must('status')).toMatch(/web1 +running/);
    expect(await host.must('test', 'roundrobin')).toMatch(/in turn: 12 of 12[\s\S]*in turn: 12 of 12/);
    expect(await host.must('up')).toMatch(/nothing to do/);
    expect(await driftOf(host)).toEqual([]);
    // As after the script alone: nothing is remembered, and all of it is there.
    rmSync(join(host.folder, 'state'), { recursive: true });
    expect(await host.must('down')).toMatch(/is down: 3 nodes gone/);
    expect(await host.instances()).toEqual([]);
  });

  it('centos-ssh-nginx.yaml: with certificates and a password that it makes, and lablb keeps', async () => {
    host.topology('centos-ssh-nginx.yaml', (text) =>
      text
        .replace(/^ {2}ns\d:.*\n/gm, '')
        .replace('provider: ssh', 'provider: lxd')
        .replace('\nnodes:', "\nlxd: { image: 'images:rockylinux/8' }\nnodes:"),
    );
    writeFileSync(join(host.folder, 'lab.sh'), await host.must('up', '--dry-run', '--format', 'sh'));
    const made = await host.run('bash', 'lab.sh');
    expect(made.status, made.stderr).toBe(0);
    const password = /user haproxy, password ([0-9a-f]{20})$/m.exec(made.stdout)?.[1];
    expect(password).toBeDefined();
    expect(await host.must('test', 'roundrobin', 'tls', 'redirect', 'stats')).toContain('accepted');
    expect(await host.must('up')).toMatch(/nothing to do/);
    expect(await host.must('status', '--show-password')).toContain(password);
    await host.must('down');
    expect(await host.instances()).toEqual([]);
  });

  it('is not up before it was run', async () => {
    host.topology('debian-lxd-nginx.yaml');
    const said = await host.lablb('test', 'roundrobin');
    expect(said.status).toBe(2);
    expect(said.stderr).toMatch(/is not up/);
  });
});
