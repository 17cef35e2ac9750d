import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs, tellSkipped } from '../support/needs.ts';

const ready = process.getuid?.() === 0 && needs('mount') && (testEngine() !== undefined || needs('haproxy'));
if (process.getuid?.() !== 0) tellSkipped('only root can mount a small disk');

describe.skipIf(!ready)('a disk that is full', () => {
  const box = new Sandbox();
  let mounted = false;
  beforeAll(() => {
    mkdirSync(box.state);
    mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40k', 'lablb-test', box.state]).status === 0;
    if (!mounted) tellSkipped('no disk can be mounted here');
  });
  afterAll(async () => {
    await box.lablb('down', '--name', 'full');
    if (mounted) execFileSync('umount', [box.state]);
    await box.close();
  });

  it('is told for each node, with its file, and the lab can be taken down', async (test) => {
    test.skip(!mounted);
    box.write('full.lab.yaml', 'name: full\nnodes: { web1: , web2: }\n');
    const { status, stderr } = await box.lablb('up');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^✖ web1: \/.*\/lablb\/full\/.*: its disk is full\n +try: df -h \//m);
    expect(stderr).not.toMatch(/ENOSPC|fault of lablb|^ +at /m);
    execFileSync('sh', ['-c', 'cat /dev/zero > fill 2>/dev/null || true'], { cwd: box.state });
    expect((await box.lablb('up')).stderr).toMatch(/: its disk is full\n/);
    expect(await box.lablb('down')).toMatchObject({ status: 0, stderr: '' });
  });
});
