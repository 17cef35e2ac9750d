import { expect, it } from 'vitest';
import { familyOf } from '../../src/os/families.ts';
import type { Op, Step } from '../../src/plan/plan.ts';
import type { ExecResult } from '../../src/providers/provider.ts';
import { execute, type Hands } from '../../src/runner/execute.ts';

function hands(provider: object): Hands {
  return {
    provider,
    spec: () => ({}),
    file: (_: string, path: string) => ({ path, content: '' }),
    together: () => undefined,
    family: () => familyOf('rhel'),
    address: () => undefined,
  } as unknown as Hands;
}

const step = (op: Op): Step => ({ id: 'x', node: 'web1', op, why: '', needs: [] });

it.each<[Op, string]>([
  [{ kind: 'service', action: 'start', service: 'httpd' }, 'could not start service httpd'],
  [{ kind: 'install', packages: ['httpd', 'curl'] }, 'could not install httpd curl'],
])('a command that fails on a node is told by what it was for: %j', async (op, message) => {
  const result: ExecResult = { exitStatus: 5, stdout: '', stderr: 'port 80 is taken' };
  await expect(execute(step(op), hands({ exec: async () => result }))).rejects.toMatchObject({
    message,
    fields: { node: 'web1', code: 'node.command-failed', exitStatus: 5, stderr: 'port 80 is taken' },
  });
});

it('what this machine refuses in a step names the node, in words', async () => {
  const full = Object.assign(new Error('ENOSPC: …'), { code: 'ENOSPC', syscall: 'write', path: '/s/x' });
  const push = hands({ push: () => Promise.reject(full) });
  await expect(execute(step({ kind: 'push', path: '/x' }), push)).rejects.toMatchObject({
    message: '/s/x: its disk is full',
    fields: { node: 'web1', code: 'ENOSPC' },
  });
});
