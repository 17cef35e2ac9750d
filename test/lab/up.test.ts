import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { coloursFor } from '../../src/cli/colours.ts';
import { interrupted } from '../../src/cli/failure.ts';
import { statsPassword } from '../../src/credentials/kept.ts';
import { LabError } from '../../src/errors.ts';
import { takeDown } from '../../src/lab/down.ts';
import { failNode } from '../../src/lab/faults.ts';
import { labStatus } from '../../src/lab/status.ts';
import { bringUp, planUp, type UpOptions } from '../../src/lab/up.ts';
import { MemoryProvider } from '../../src/providers/memory/memory.ts';
import { showPlain } from '../../src/runner/progress.ts';
import { formerNodes } from '../../src/state/former.ts';
import { readRecord, requireRecord } from '../../src/state/record.ts';
import { temporaryState } from '../support/state.ts';
import { QUICK, topologyOf } from '../support/topology.ts';

let provider: MemoryProvider;
let state: string;
beforeEach(() => {
  state = temporaryState();
  provider = new MemoryProvider();
});

const topology = topologyOf();
const options: UpOptions = { parallel: 4, show: async (_, run) => void (await run.all) };
const up = (change: Partial<UpOptions> = {}, of = topology) =>
  bringUp(of, provider, { ...options, ...change });

it('comes to rest: a second run has nothing to do', async () => {
  const first = await up();
  expect(first.results.every(({ state }) => state === 'done')).toBe(true);
  expect(readRecord('quick')?.upAt).toBeDefined();
  provider.calls.length = 0;
  expect((await up()).results).toEqual([]);
  expect(provider.calls).toEqual([]);
});

it('remembers the lab before it makes anything', async () => {
  provider.fault = () => {
    expect(readRecord('quick')?.nodes).toEqual(['web1', 'web2', 'proxyha']);
    expect(readRecord('quick')?.upAt).toBeUndefined();
  };
  await up();
  expect(provider.calls[0]).toMatch(/^create/);
});

it('starts the balancer last', async () => {
  await up({ parallel: 1 });
  expect(provider.calls.filter((call) => call.includes('service')).at(-1)).toBe(
    'exec proxyha service lablb-proxy start',
  );
});

it('goes on elsewhere when a node fails, and where it was the next time', async () => {
  provider.fault = (call) => {
    if (call === 'create web1') throw new LabError('no room', { code: 'x' });
  };
  const { results } = await up();
  const failed = results.filter(({ state }) => state === 'failed');
  expect(failed.map(({ step }) => step.id)).toEqual(['web1:create']);
  expect(failed[0]!.error).toMatchObject({ message: 'no room', fields: { node: 'web1' } });
  expect(results.filter(({ step, state }) => step.node === 'web2' && state !== 'done')).toEqual([]);
  // The balancer waits for its servers.
  expect(results.find(({ step }) => step.id === 'proxyha:start:lablb-proxy')?.state).toBe('skipped');

  provider.fault = () => undefined;
  const again = await up();
  expect(again.results.map(({ step }) => step.id)).toContain('web1:create');
  expect(again.results.map(({ step }) => step.id)).not.toContain('web2:create');
  expect((await up()).results).toEqual([]);
});

it('does not call a node done while what is left of it waits for one that failed', async () => {
  const { views } = provider;
  // As where addresses come with the nodes: all are made first, then looked at again.
  provider.views = async (...args) => {
    const known = await views.apply(provider, args);
    return new Map([...known].map(([name, view]) => [name, { ...view, provisional: 'address' as const }]));
  };
  provider.fault = (call) => {
    if (call === 'create web1') throw new LabError('no address', { code: 'x' });
  };
  const lines: string[] = [];
  const show: UpOptions['show'] = async (plan, run, _, nodes) => {
    lines.push('--');
    const write = (line: string): void => void lines.push(line.trim().replace(/ +[\d.]+ m?s$/, ''));
    await showPlain({ plan, run, about: () => 'fine', ...nodes, colours: coloursFor({}), write });
  };
  await up({ show });
  expect(lines.filter((line) => /^(--|[✔✖])/.test(line)).map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
    '--',
    '✖ web1 create failed',
    '✔ web2 fine',
    '✔ proxyha fine',
    '--',
    '✔ web2 fine',
    '✖ proxyha not finished',
  ]);
});

it('stops between steps when it is interrupted, and leaves a record', async () => {
  const controller = new AbortController();
  provider.fault = (call) => {
    if (call.startsWith('create')) controller.abort(interrupted());
  };
  await expect(up({ signal: controller.signal })).rejects.toMatchObject({ fields: { code: 'interrupted' } });
  expect(readRecord('quick')?.nodes).toHaveLength(3);
  provider.fault = () => undefined;
  await up();
  expect((await up()).results).toEqual([]);
});

it('touches nothing in a dry run', async () => {
  const { plan } = await planUp(topology, provider, {});
  expect(plan.steps.length).toBeGreaterThan(10);
  expect(provider.calls).toEqual([]);
  expect(existsSync(join(state, 'lablb'))).toBe(false);
});

it('does everything again with --force, once', async () => {
  await up();
  provider.calls.length = 0;
  await up({ force: true });
  expect(provider.calls.filter((call) => call.startsWith('push web1 /etc/hosts'))).toHaveLength(1);
  expect(provider.calls).toContain('exec proxyha service lablb-proxy reload');
});

it('has ended with --only too, and still knows of nodes that it left alone', async () => {
  await up();
  await provider.destroy('web1');
  await up({ only: ['web1'] }, topologyOf(QUICK.replaceAll('web2', 'web3')));
  expect(readRecord('quick')?.upAt).toBeDefined();
  expect(readRecord('quick')?.nodes).toEqual(['web1', 'web2', 'proxyha', 'web3']);
});

it('keeps to --only, and refuses a node that is not in the lab', async () => {
  await up({ only: ['web2'] });
  expect([...provider.nodes.keys()]).toEqual(['web2']);
  await expect(up({ only: ['web7'] })).rejects.toThrow("no node 'web7'");
});

it('takes away a node that the topology lost', async () => {
  await up();
  await up({}, topologyOf(QUICK.replace('  web2: { title: SITE2 }\n', '').replace('[web1, web2]', '[web1]')));
  expect([...provider.nodes.keys()].sort()).toEqual(['proxyha', 'web1']);
  expect(readRecord('quick')?.nodes).toEqual(['web1', 'proxyha']);
});

it('gives up on what will not come to rest', async () => {
  const { exec } = provider;
  provider.exec = async (...args) => {
    const result = await exec.apply(provider, args);
    provider.nodes.get('web1')!.running.clear();
    return result;
  };
  await expect(up()).rejects.toMatchObject({ fields: { code: 'lab.unsettled', node: 'web1' } });
});

it('refuses to be on two providers, or from two files that are both there', async () => {
  await up();
  await expect(up({}, { ...topology, provider: 'lxd' })).rejects.toThrow('quick is up on local');
  const record = requireRecord('quick');
  const { writeRecord } = await import('../../src/state/record.ts');
  const file = join(state, 'here.yaml');
  writeFileSync(file, '');
  writeRecord({ ...record, file });
  await expect(up()).rejects.toThrow(/is up already, from .*here\.yaml/);
});

it('tells what differs', async () => {
  await up();
  provider.nodes.get('web1')!.running.clear();
  provider.nodes.get('web2')!.files.set('/etc/hosts', 'mine');
  provider.nodes.delete('proxyha');
  const status = await labStatus(requireRecord('quick'), provider);
  expect(status.drift.slice(0, 3)).toEqual([
    { node: 'web1', what: 'start service web', why: 'it is not running' },
    { node: 'web2', what: 'write /etc/hosts', why: 'it was changed by hand' },
    { node: 'proxyha', what: 'create', why: 'it is not there' },
  ]);
  expect(status.nodes.map((node) => node.state)).toEqual(['running', 'running', 'absent']);
});

it('takes everything away, also what only the record or only the provider knows', async () => {
  await up();
  provider.nodes.delete('web1');
  provider.nodes.set('left-over', provider.nodes.get('web2')!);
  const { gone } = await takeDown(requireRecord('quick'), provider);
  expect([...gone].sort()).toEqual(['left-over', 'proxyha', 'web2']);
  expect(provider.nodes.size).toBe(0);
  expect(readRecord('quick')).toBeUndefined();
});

it('does the others when a machine does not answer, says so, and goes on when it does', async () => {
  await up();
  const known = readRecord('quick')!.desired.nodes.find(({ name }) => name === 'web1');
  provider.silent.add('web1');
  provider.nodes.delete('web2');
  const { results } = await up();
  const failed = results.filter(({ state }) => state !== 'done');
  expect(failed.map(({ step }) => step.id)).toEqual(['web1:reach']);
  expect(provider.nodes.has('web2')).toBe(true);
  expect(readRecord('quick')!.desired.nodes.find(({ name }) => name === 'web1')).toEqual(known);
  const status = await labStatus(requireRecord('quick'), provider);
  expect(status.nodes[0]).toMatchObject({ name: 'web1', state: 'unreachable', problem: 'no answer' });
  provider.silent.clear();
  expect((await up()).results.filter(({ state }) => state !== 'done')).toEqual([]);
});

it('keeps the record when a node resists', async () => {
  await up();
  provider.fault = (call) => {
    if (call === 'destroy web1') throw new Error('busy');
  };
  await expect(takeDown(requireRecord('quick'), provider)).rejects.toMatchObject({
    fields: { code: 'down.incomplete', stderr: 'web1: busy' },
  });
  provider.fault = () => undefined;
  const { drift, notes } = await labStatus(requireRecord('quick'), provider);
  expect({ drift, notes: notes.slice(0, 1) }).toEqual({
    drift: [],
    notes: ['`lablb down` did not finish: `lablb down` goes on, `lablb up` brings it back'],
  });
  await up();
  expect((await labStatus(requireRecord('quick'), provider)).notes.join()).not.toContain('did not finish');
  await takeDown(requireRecord('quick'), provider);
  expect(readRecord('quick')).toBeUndefined();
});

it('gives up what will never answer again, when told to', async () => {
  await up();
  provider.fault = (call) => {
    if (call === 'destroy web1') throw new Error('no answer');
  };
  const { gone, forgotten } = await takeDown(requireRecord('quick'), provider, { forget: true });
  expect([...gone].sort()).toEqual(['proxyha', 'web2']);
  expect(forgotten).toEqual(['web1: no answer']);
  expect(readRecord('quick')).toBeUndefined();
});

it('never follows a name out of its folder', () => {
  for (const name of ['..', '../x', 'a/b', '.locks', ''])
    expect(() => requireRecord(name)).toThrow(/no lab called/);
});

it('tells no password that is not kept', async () => {
  await up();
  const withUser = topologyOf(`${QUICK}  stats: { user: admin }\n`);
  const only = await up({ only: ['web1'] }, withUser);
  expect(only.newPassword).toBeUndefined();
  const all = await up({}, withUser);
  expect(all.newPassword).toMatch(/^\w{20}$/);
  expect((await up({}, withUser)).newPassword).toBeUndefined();
  expect(statsPassword(withUser)).toBe(all.newPassword);
});

it('cannot make a node fail that an older lablb brought up, and says the way out', async () => {
  await up();
  const record = requireRecord('quick');
  const { main: _, ...service } = record.desired.nodes[0]!.services[0]!;
  const older = { ...record.desired.nodes[0]!, services: [service] };
  await expect(async () => failNode(record, older, { how: 'stop', delayMs: 0 }, provider)).rejects.toThrow(
    'an older lablb',
  );
});

it('knows how to reach what the topology no longer has, until it is gone', async () => {
  const on = (ssh: string, nodes: string) =>
    topologyOf(`
name: quick
ssh: { ${ssh} }
nodes:
  web1: {}${nodes}
  proxyha: {}
`);
  await up({}, on('user: old', '\n  web2: { address: 192.0.2.8, ssh: { port: 2222 } }'));
  const smaller = on('user: new', '');
  const web2 = provider.nodes.get('web2')!;
  provider.nodes.delete('web2');
  provider.silent.add('web2');
  await up({}, smaller);
  const ssh = expect.objectContaining({ user: 'old', port: 2222 });
  const former = [expect.objectContaining({ name: 'web2', address: '192.0.2.8', extra: { ssh } })];
  expect(requireRecord('quick')).toMatchObject({ nodes: ['web1', 'proxyha', 'web2'], former });
  expect(formerNodes(smaller)).toEqual(former);
  expect((await labStatus(requireRecord('quick'), provider)).notes).toContainEqual(
    expect.stringContaining('web2: the topology no longer has it, and it cannot be given back'),
  );
  provider.silent.delete('web2');
  provider.nodes.set('web2', web2);
  await up({}, smaller);
  expect(provider.calls).toContain('destroy web2');
  expect(requireRecord('quick').nodes).toEqual(['web1', 'proxyha']);
  expect(requireRecord('quick').former).toBeUndefined();
});

describe('a node that moves to another machine', () => {
  const at = (address: string) =>
    topologyOf(`
name: quick
provider: ssh
nodes:
  web1: { address: ${address} }
  proxyha: { address: 192.0.2.9 }
`);
  /** web1 was at 192.0.2.1, and its machine is still as the lab had it. */
  const moved = async (to = '192.0.2.2') => {
    await up({}, at('192.0.2.1'));
    provider.nodes.set('web1@192.0.2.1', provider.nodes.get('web1')!);
    provider.nodes.delete('web1');
    provider.calls.length = 0;
    return at(to);
  };

  it('leaves the old one first, and says why', async () => {
    const topology = await moved();
    const { plan } = await planUp(topology, provider, {});
    expect(plan.steps.find(({ op }) => op.kind === 'destroy')).toMatchObject({
      node: 'web1@192.0.2.1',
      why: 'the topology has it at another address now',
    });
    await up({}, topology);
    const order = provider.calls.filter((call) => /^(create|destroy)/.test(call));
    expect(order).toEqual(['destroy web1@192.0.2.1', 'create web1']);
    expect(requireRecord('quick')).toMatchObject({ nodes: ['web1', 'proxyha'] });
    expect(requireRecord('quick').former).toBeUndefined();
    expect((await up({}, topology)).results).toEqual([]);
  });

  it('goes with --only NODE, and not with that of another', async () => {
    const topology = await moved();
    await up({ only: ['proxyha'] }, topology);
    expect(provider.calls).not.toContain('destroy web1@192.0.2.1');
    await up({ only: ['web1'] }, topology);
    expect(provider.calls).toContain('destroy web1@192.0.2.1');
  });

  it('keeps an old one in mind that does not answer, and says so, until it does', async () => {
    const topology = await moved();
    const old = provider.nodes.get('web1@192.0.2.1')!;
    provider.nodes.delete('web1@192.0.2.1');
    provider.silent.add('web1@192.0.2.1');
    const { results, notes } = await up({}, topology);
    expect(results.filter(({ state }) => state !== 'done')).toEqual([]);
    expect(notes).toEqual([
      'web1@192.0.2.1: the topology has it at another address now, and it cannot be given back: no answer; the next `lablb up` tries again',
    ]);
    expect((await up({}, topology)).notes).toEqual(notes);
    expect((await labStatus(requireRecord('quick'), provider)).notes).toEqual(
      expect.arrayContaining([...notes]),
    );
    expect(requireRecord('quick').nodes).toEqual(['web1', 'proxyha', 'web1@192.0.2.1']);
    provider.silent.clear();
    provider.nodes.set('web1@192.0.2.1', old);
    expect((await labStatus(requireRecord('quick'), provider)).drift).toEqual([
      { node: 'web1@192.0.2.1', what: 'take away', why: 'the topology has it at another address now' },
    ]);
    expect((await up({}, topology)).notes).toEqual([]);
    expect(provider.calls).toContain('destroy web1@192.0.2.1');
    expect(requireRecord('quick').nodes).toEqual(['web1', 'proxyha']);
  });

  it('is taken down with its old machine', async () => {
    const topology = await moved();
    provider.fault = (call) => {
      if (call.startsWith('destroy')) throw new LabError('lost', { code: 'x' });
    };
    const { results } = await up({}, topology);
    expect(results.find(({ state }) => state === 'failed')?.step.node).toBe('web1@192.0.2.1');
    provider.fault = () => undefined;
    const { gone } = await takeDown(requireRecord('quick'), provider);
    expect([...gone].sort()).toEqual(['proxyha', 'web1@192.0.2.1']);
    expect(provider.nodes.size).toBe(0);
  });
});
