import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Finding } from '../../../src/providers/finding.ts';
import { examineLxd } from '../../../src/providers/lxd/doctor.ts';

/** What a client answers that has all it needs, by the beginning of its arguments. */
const ANSWERS = {
  '--version': 'echo 5.21.3',
  'query /1.0/profiles/default':
    'echo \'{"devices": {"root": {"type": "disk", "path": "/"}, "eth0": {"type": "nic", "network": "lxdbr0"}}}\'',
  'query /1.0': "echo '{}'",
  'storage list': 'echo \'[{"name": "default", "driver": "zfs"}]\'',
  'image info': 'echo Fingerprint: 1',
};

describe('what a lab on LXD needs of this host', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lablb-doctor-'));
    vi.stubEnv('PATH', folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  async function examined(
    client: string,
    different: Record<string, string> = {},
  ): Promise<Map<string, Finding>> {
    const cases = [...Object.entries(different), ...Object.entries(ANSWERS)].map(
      ([args, answer]) => `"${args}"*) ${answer} ;;`,
    );
    // The first match wins: what is different comes first.
    const path = join(folder, client);
    writeFileSync(path, `#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\n*) exit 99 ;;\nesac\n`);
    chmodSync(path, 0o755);
    return new Map((await examineLxd()).map((finding) => [finding.name, finding]));
  }

  it('finds all of it', async () => {
    const found = await examined('lxc');
    expect(found.get('lxc or incus')?.found).toBe('lxc 5.21.3');
    expect(found.get('its daemon')?.found).toBe('answers');
    expect(found.get('storage pool')?.found).toBe('default (zfs)');
    expect(found.get('default profile')?.found).toBe('root disk, lxdbr0');
    expect(found.get('images')?.found).toBe('images:rockylinux/8 is to be had');
  });

  it('no client', async () => {
    const findings = await examineLxd();
    expect(findings[0]).toMatchObject({
      name: 'lxc or incus',
      need: 'needed',
      lacks: 'neither lxc nor incus is installed',
      get: expect.stringContaining('apt-get install incus'),
    });
    expect(findings.map(({ name }) => name)).toEqual([
      'lxc or incus',
      'parent for macvlan',
      'inotify instances',
    ]);
  });

  const refuses = (said: string): string => `echo 'Error: ${said}' >&2; exit 1`;
  it.each([
    [
      'lxc',
      'its daemon',
      { 'query /1.0': refuses('dial unix /x/unix.socket: connect: no such file or directory') },
      'the daemon does not answer',
      'sudo systemctl start lxd',
    ],
    [
      'incus',
      'its daemon',
      { 'query /1.0': refuses('dial unix /x/unix.socket: connect: permission denied') },
      'you may not talk to the daemon',
      'usermod -aG incus-admin',
    ],
    ['incus', 'storage pool', { 'storage list': "echo '[]'" }, 'there is none', 'incus admin init --auto'],
    [
      'lxc',
      'default profile',
      { 'query /1.0/profiles/default': 'echo \'{"devices": {}}\'' },
      'it has no root disk and no network interface',
      'lxd init --auto',
    ],
    [
      'lxc',
      'images',
      { 'image info': refuses('The remote "images" doesn\'"\'"\'t exist') },
      'there is no such remote',
      'lxc remote add',
    ],
  ])('%s: %s', async (client, name, different, lacks, get) => {
    const finding = (await examined(client, different)).get(name);
    expect(finding).toMatchObject({ lacks, get: expect.stringContaining(get) });
    expect(finding?.found).toBeUndefined();
  });
});
