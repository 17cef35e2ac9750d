import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';

const TOPOLOGY = 'nodes: { web1: , proxyha: }\n';

describe.skipIf(testEngine() === undefined)('which lab a command means', () => {
  const up = new Sandbox();
  // Another folder, and the same memory.
  const beside = new Sandbox({ XDG_STATE_HOME: join(up.folder, 'state') });
  const record = join(up.state, 'lablb', 'first', 'lab.json');
  beforeAll(async () => {
    up.write('topology.yaml', `name: first\n${TOPOLOGY}`);
    expect(await up.lablb('up')).toMatchObject({ status: 0 });
  });
  afterAll(async () => {
    await beside.close();
    await up.close('first');
  });

  it('is the folder’s, also when another one is the only one that is up', async () => {
    const file = beside.write('topology.yaml', `name: second\n${TOPOLOGY}`);
    for (const args of [['fail', 'web1'], ['exec', 'web1', '--', 'true'], ['stats'], ['test', 'roundrobin']])
      expect(await beside.lablb(...args)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/second is not up\n.*lablb up topology\.yaml\n.*--name first/),
      });
    expect(await beside.lablb('down')).toEqual({
      status: 0,
      stdout: 'second is not up: nothing to do\n',
      stderr: '',
    });
    expect(await up.lablb('status')).toMatchObject({ stdout: expect.stringMatching(/^first · local\n/) });
    // Of several, none is meant unless it is up.
    const another = beside.write('another.lab.yaml', `name: third\n${TOPOLOGY}`);
    expect(await beside.lablb('stats')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no lab of this folder is up'),
    });
    for (const one of [file, another]) rmSync(one);
  });

  it('is the only one that is up, in a folder without a topology', async () => {
    expect(await beside.lablb('exec', 'web1', '--', 'true')).toMatchObject({ status: 0 });
  });

  it('is one that is down by now, for what it left in a hosts file', async () => {
    const hosts = beside.write('hosts', '127.0.0.1 localhost\n');
    await up.lablb('hosts', '--write', '--file', hosts);
    expect(readFileSync(hosts, 'utf8')).toContain('>>> lablb first');
    await up.lablb('down');
    expect(await up.lablb('hosts', '--remove', '--file', hosts)).toMatchObject({
      status: 0,
      stdout: `${hosts} no longer has the names of first\n`,
    });
    expect(readFileSync(hosts, 'utf8')).toBe('127.0.0.1 localhost\n');
    expect(await up.lablb('up')).toMatchObject({ status: 0 });
  });

  it('is found by its file when it is there and its record is not', async () => {
    rmSync(record);
    expect(await up.lablb('status', 'topology.yaml')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^first · local\n {2}web1 +running/),
    });
    writeFileSync(record, '{ "version": 1,');
    expect(await beside.lablb('status')).toMatchObject({
      stdout: 'what lablb remembers of first cannot be read; lablb status FILE finds it again\n',
    });
    expect(await beside.lablb('down', '--name', 'first')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /what lablb remembers of 'first' cannot be read: .*lab\.json\n.*lablb up FILE/,
      ),
    });
    expect(await up.lablb('down')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^first is down: 2 nodes gone/),
    });
  });
});
