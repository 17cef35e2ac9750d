import { readFileSync, statSync } from 'node:fs';
import { LabError } from '../../errors.ts';
import { sha256 } from '../../plan/hash.ts';
import { enginePath } from '../../shell/engine.ts';
import type { Program, Programs } from '../provider.ts';

/** Where the engine's executable is put on a machine. */
const ENGINE = '/usr/local/sbin/lablb-proxy';

/** The programs that services run on systems of their own: the engine is brought along, the rest is installed. */
export const machinePrograms: Programs = {
  engine: (name) => (name === 'haproxy' ? { argv: ['/usr/sbin/haproxy'], build: 'package' } : ownEngine()),
  webServer: () => {
    throw new LabError("the embedded web server runs with provider 'local' alone", {
      code: 'role.embedded',
      hints: ['server: httpd', 'server: nginx'],
    });
  },
  dnsServer: () => {
    throw new LabError("the embedded DNS server runs with provider 'local' alone", { code: 'role.embedded' });
  },
};

let known: { path: string; mtimeMs: number; hash: string } | undefined;

function ownEngine(): Program {
  const path = enginePath();
  const { mtimeMs } = statSync(path);
  if (known?.path !== path || known.mtimeMs !== mtimeMs)
    known = { path, mtimeMs, hash: sha256(readFileSync(path)) };
  const file = { path: ENGINE, content: '', source: path, sha256: known.hash, mode: 0o755 };
  return { argv: [ENGINE], build: known.hash.slice(0, 16), file };
}
