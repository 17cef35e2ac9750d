import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { definitionPath } from '../../../src/os/definition.ts';
import { LocalProvider } from '../../../src/providers/local/local.ts';
import { findByEnvironment, isAlive } from '../../../src/shell/processes.ts';
import { temporaryState } from '../../support/state.ts';
import { definedService, providerSuite } from '../conformance.ts';

const LAB = 'conformance';
/** Listens on a port of the system's choice; with `-sf PID` it ends that one, as HAProxy does when it takes over. */
const SERVER = `
  require('node:net').createServer().listen(0, '127.0.0.1', () => {
    const at = process.argv.indexOf('-sf');
    if (at > 0) process.kill(Number(process.argv[at + 1]), 'SIGTERM');
    console.log('up');
  })`;

function definition(change: object = {}): string {
  const argv = [process.execPath, '-e', SERVER, '--'];
  const base = {
    argv,
    log: '/var/log/stay.log',
    watch: ['/etc/a'],
    reload: 'handover',
    listens: [],
    build: '1',
  };
  return JSON.stringify({ ...base, ...change });
}

function lab(): { provider: LocalProvider; folder: (node: string) => string } {
  const state = temporaryState();
  const provider = new LocalProvider(LAB);
  onTestFinished(async () => {
    for (const name of (await provider.observe(LAB)).nodes.keys()) await provider.destroy(name);
  });
  return { provider, folder: (node) => join(state, 'lablb', LAB, 'nodes', node) };
}

providerSuite('local', async () => {
  const { provider, folder } = lab();
  return {
    provider,
    lab: LAB,
    service: definedService('stay', definition()),
    edit: (node, path, content) => writeFileSync(folder(node) + path, content),
  };
});

const node = {
  ...{ lab: LAB, name: 'web1', role: 'client' as const, title: 'x', names: ['web1'], port: 0 },
  ...{ publish: [], packages: [], extra: {} },
};

async function withService(change: object = {}) {
  const { provider, folder } = lab();
  await provider.create(node);
  await provider.push('web1', { path: '/etc/a', content: 'a' });
  await provider.push('web1', { path: definitionPath('stay'), content: definition(change) });
  const runFile = join(folder('web1'), 'run', 'stay.json');
  const service = async (action: string) => provider.exec('web1', ['service', 'stay', action]);
  const running = async () => (await provider.observe(LAB)).nodes.get('web1')!.services.get('stay')!.running;
  const record = () => JSON.parse(readFileSync(runFile, 'utf8'));
  return { provider, folder: folder('web1'), runFile, service, running, record };
}

it('hands over on reload: the new one is there before the old one goes', async () => {
  const { service, record, running } = await withService();
  await service('start');
  const first = record();
  await service('reload');
  const second = record();
  expect(second.process.pid).not.toBe(first.process.pid);
  expect(isAlive(second.process)).toBe(true);
  await expect.poll(() => isAlive(first.process)).toBe(false);
  expect(await running()).toBe(true);
});

it('notes what it runs with: a file that changed since shows in the revision only after a reload', async () => {
  const { provider, service, record } = await withService();
  await service('start');
  const before = record().revision;
  await provider.push('web1', { path: '/etc/a', content: 'b' });
  expect(record().revision).toBe(before);
  await service('reload');
  expect(record().revision).not.toBe(before);
});

it('keeps the old one when the new one does not start, and says why', async () => {
  const { provider, service, record, running } = await withService();
  await service('start');
  const { pid } = record().process;
  const broken = definition({
    argv: [process.execPath, '-e', 'console.error("no such keyword"); process.exit(1)', '--'],
  });
  await provider.push('web1', { path: definitionPath('stay'), content: broken });
  await expect(service('reload')).rejects.toMatchObject({
    fields: { code: 'service.start', stderr: expect.stringContaining('no such keyword') },
  });
  expect(record().process.pid).toBe(pid);
  expect(await running()).toBe(true);
});

it('says when the program is not there, and leaves no record', async () => {
  const { service, running } = await withService({ argv: ['/no/such/program'] });
  await expect(service('start')).rejects.toThrow(/cannot run \/no\/such\/program: ENOENT/);
  expect(await running()).toBe(false);
});

it('is not fooled by a stranger with the pid of a service', async () => {
  const { service, running, runFile, record } = await withService();
  await service('start');
  const { process: real } = record();
  // As after a reboot: the record names this very process, started at another time.
  writeFileSync(runFile, JSON.stringify({ ...record(), process: { ...real, pid: process.pid } }));
  expect(await running()).toBe(false);
  await service('stop');
  expect(isAlive(real)).toBe(true);
});

it('finds what it started when it was killed before it could write that down', async () => {
  const { provider, service, runFile, record, folder } = await withService();
  await service('start');
  const { process: orphan } = record();
  writeFileSync(runFile, JSON.stringify({ pending: true, retiring: [] }));
  await service('start');
  expect(isAlive(orphan)).toBe(false);
  const { process: second } = record();
  expect(isAlive(second)).toBe(true);
  writeFileSync(runFile, '{"cut sho');
  await provider.destroy('web1');
  expect(isAlive(second)).toBe(false);
  expect(findByEnvironment(`LABLB_NODE_FOLDER=${folder}`)).toEqual([]);
});

it('sends SIGKILL to a service that does not listen', async () => {
  const stubborn = `process.on('SIGTERM', () => {}); ${SERVER}`;
  const { service, record } = await withService({ argv: [process.execPath, '-e', stubborn, '--'] });
  await service('start');
  const { process: found } = record();
  await sleep(50);
  await service('stop');
  expect(isAlive(found)).toBe(false);
});

it('completes a node that was left half made', async () => {
  const { provider, folder } = lab();
  mkdirSync(join(folder('web1'), 'etc'), { recursive: true });
  expect((await provider.observe(LAB)).nodes.get('web1')?.state).toBe('stopped');
  await provider.create(node);
  expect((await provider.observe(LAB)).nodes.get('web1')?.state).toBe('running');
});

it('writes nothing outside the node’s folder', async () => {
  const { provider } = lab();
  await provider.create(node);
  for (const path of ['/../out', 'etc/a', '/etc/../../out', '/etc//a'])
    await expect(provider.push('web1', { path, content: '' })).rejects.toThrow(/not a plain absolute path/);
});

it('writes files with their mode', async () => {
  const { provider, folder } = lab();
  await provider.create(node);
  await provider.push('web1', { path: '/etc/secret', content: 'x', mode: 0o600 });
  const { statSync } = await import('node:fs');
  expect(statSync(`${folder('web1')}/etc/secret`).mode & 0o777).toBe(0o600);
});
