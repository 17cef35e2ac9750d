import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRuntime } from '../../src/balancer/runtime-socket.ts';
import type { DesiredNode } from '../../src/plan/desired.ts';
import type { LabProvider } from '../../src/providers/provider.ts';
import { run } from '../../src/shell/run.ts';
import { needs, which } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'lablb-socket-'));
const path = join(folder, 's.sock');
/** Answers a line with it, much, as the runtime API does: and closes. */
const server = createServer((socket) => {
  socket.once('data', (line) => socket.end(`asked: ${line}${'x'.repeat(300_000)}\n`));
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(path, resolve)));
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function node(family: string, socket: string | undefined = path): DesiredNode {
  const nothing = { packages: [], files: [], services: [], after: [], about: '', root: '', ports: [] };
  return { name: 'proxyha', role: 'proxy', family, socket, ...nothing };
}

/** A machine that has these programs and a shell. */
function machineWith(...programs: string[]): LabProvider {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const name of programs) {
    writeFileSync(join(bin, name), `#!/bin/sh\nPATH='${process.env.PATH}' exec '${which(name)}' "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const exec: LabProvider['exec'] = (_node, [, ...argv]) => run(['/bin/sh', ...argv], { env: { PATH: bin } });
  return { exec } as LabProvider;
}

const answer = expect.stringMatching(/^asked: show stat\nx{300000}\n$/);

describe('askRuntime', () => {
  it('asks a socket of this machine itself', async () => {
    expect(await askRuntime(node('embedded'), machineWith(), 'show stat')).toEqual(answer);
  });

  it.each(['python3', 'perl', 'socat'])('asks on a machine that has %s', async (program) => {
    if (!needs(program)) return;
    expect(await askRuntime(node('debian'), machineWith(program), 'show stat')).toEqual(answer);
  });

  it.each(['embedded', 'perl', 'python3'])('says what is wrong when nobody listens (%s)', async (how) => {
    const asked = askRuntime(
      node(how, join(folder, 'none')),
      machineWith(how === 'perl' ? how : 'python3'),
      'x',
    );
    await expect(asked).rejects.toThrow(/runtime socket: it is not there, so the balancer does not run$/);
  });

  it.concurrent.each(['embedded', 'perl', 'python3'])('says when nobody answers (%s)', async (how) => {
    const silent = createServer(() => {});
    const at = join(folder, `${how}.sock`);
    await new Promise<void>((resolve) => void silent.listen(at, resolve));
    const asked = askRuntime(node(how, at), machineWith(how === 'perl' ? how : 'python3'), 'x');
    await expect(asked).rejects.toThrow(/runtime socket: it takes the question and says nothing for 2 s/);
    silent.close();
  });

  it('says that a configuration has no socket, and what is missing on a machine', async () => {
    const none = { ...node('debian'), socket: undefined };
    await expect(askRuntime(none, machineWith(), 'x')).rejects.toThrow(/no 'stats socket'/);
    await expect(askRuntime(node('debian'), machineWith(), 'x')).rejects.toThrow(/none of python3, perl/);
  });
});
