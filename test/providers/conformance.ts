import { describe, expect, it } from 'vitest';
import { definitionPath } from '../../src/os/definition.ts';
import { sha256 } from '../../src/plan/hash.ts';
import type { FileSpec, NodeSpec, Provider } from '../../src/providers/provider.ts';

export interface Subject {
  readonly provider: Provider;
  readonly lab: string;
  /** A long-running service of the family of this provider, as the file that defines it. */
  readonly service: {
    readonly name: string;
    readonly file: FileSpec;
    /** The command for `start`, `stop`, and `status` (0 while it runs, 3 while it does not). */
    readonly ask: (action: 'start' | 'stop' | 'status') => readonly string[];
  };
  /** Changes a file behind lablb's back. */
  readonly edit: (node: string, path: string, content: string) => void | Promise<void>;
}

/** What every provider promises. `make` gives a fresh, empty lab, and takes care of its end. */
export function providerSuite(name: string, make: () => Promise<Subject>): void {
  describe(`provider ${name}`, () => {
    it('shows nothing where nothing is, and takes away what is not there', async () => {
      const { provider, lab } = await make();
      expect((await provider.observe(lab)).nodes.size).toBe(0);
      await provider.destroy('web1');
    });

    it('makes a node on which commands run, once', async () => {
      const { provider, lab } = await make();
      await provider.create(spec(lab, 'web1'));
      await provider.push('web1', { path: '/etc/motd', content: 'hello\n' });
      await provider.create(spec(lab, 'web1'));
      expect(await provider.exec('web1', ['true'])).toMatchObject({ exitStatus: 0 });
      const node = (await provider.observe(lab)).nodes.get('web1')!;
      expect(node.state).toBe('running');
      expect(node.files.get('/etc/motd')).toBe(sha256('hello\n'));
    });

    it('hands back statuses instead of throwing', async () => {
      const { provider, lab, service } = await make();
      await provider.create(spec(lab, 'web1'));
      expect((await provider.exec('web1', ['no-such-program-anywhere'])).exitStatus).toBe(127);
      expect((await provider.exec('web1', service.ask('status'))).exitStatus).not.toBe(0);
    });

    it('sees what was changed and removed behind its back, beside what it wrote', async () => {
      const { provider, lab, edit } = await make();
      await provider.create(spec(lab, 'web1'));
      await provider.push('web1', { path: '/etc/a', content: 'a' });
      await edit('web1', '/etc/a', 'b');
      const node = (await provider.observe(lab)).nodes.get('web1')!;
      expect(node.files.get('/etc/a')).toBe(sha256('b'));
      expect(node.pushed.get('/etc/a')).toBe(sha256('a'));
    });

    it('takes a file away and forgets it', async () => {
      const { provider, lab } = await make();
      await provider.create(spec(lab, 'web1'));
      await provider.push('web1', { path: '/etc/a', content: 'a' });
      await provider.push('web1', { path: '/etc/a', content: '', absent: true });
      const node = (await provider.observe(lab)).nodes.get('web1')!;
      expect(node.files.has('/etc/a')).toBe(false);
      expect(node.pushed.has('/etc/a')).toBe(false);
    });

    it('starts, knows and stops a service, each as often as asked', async () => {
      const { provider, lab, service } = await make();
      await provider.create(spec(lab, 'web1'));
      await provider.push('web1', service.file);
      const state = async () => (await provider.observe(lab)).nodes.get('web1')!.services.get(service.name);
      const ask = async (action: 'start' | 'stop' | 'status') =>
        (await provider.exec('web1', service.ask(action))).exitStatus;
      expect((await state())?.running).toBe(false);
      expect([await ask('start'), await ask('start'), await ask('status')]).toEqual([0, 0, 0]);
      const before = await state();
      expect(before).toMatchObject({ running: true, enabled: true });
      expect(before?.revision).toMatch(/^[0-9a-f]{16}$/);
      expect([await ask('stop'), await ask('stop'), await ask('status')]).toEqual([0, 0, 3]);
      expect((await state())?.running).toBe(false);
    });

    it('takes a node away with all it holds', async () => {
      const { provider, lab, service } = await make();
      await provider.create(spec(lab, 'web1'));
      await provider.push('web1', service.file);
      await provider.exec('web1', service.ask('start'));
      await provider.destroy('web1');
      await provider.destroy('web1');
      expect((await provider.observe(lab)).nodes.size).toBe(0);
      await expect(provider.exec('web1', ['true'])).rejects.toThrow(/not there/);
      await expect(provider.push('web1', { path: '/etc/a', content: '' })).rejects.toThrow(/not there/);
    });
  });
}

function spec(lab: string, name: string): NodeSpec {
  return {
    lab,
    name,
    role: 'client',
    title: name,
    names: [name],
    port: 0,
    publish: [],
    packages: [],
    extra: {},
  };
}

/** A service as local nodes have it: a definition, driven by `service`. */
export function definedService(name: string, content: string): Subject['service'] {
  return {
    name,
    file: { path: definitionPath(name), content },
    ask: (action) => ['service', name, action],
  };
}
