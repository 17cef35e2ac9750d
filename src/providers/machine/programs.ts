import { LabError } from '../../errors.ts';
import { enginePath } from '../../shell/engine.ts';
import { hashOfLargeFile } from '../../state/large-file.ts';
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

let known: string | undefined;

function ownEngine(): Program {
  const source = enginePath();
  known ??= hashOfLargeFile(source);
  const file = { path: ENGINE, content: '', source, sha256: known, mode: 0o755 };
  return { argv: [ENGINE], build: known.slice(0, 16), file };
}
