import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Before all tests: the CLI is compiled when a source is newer. LABLB_NO_BUILD=1 leaves that to the caller. A type
 * error somewhere does not keep the tests of everything else from running: `npm test` reports it on its own.
 */
export default function setup(): void {
  if (process.env.LABLB_NO_BUILD === '1') return;
  const script = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url));
  const compiled = fileURLToPath(new URL('../../dist/cli/base.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'cli'], { encoding: 'utf8' });
  if (status === 0) return;
  if (!existsSync(compiled)) throw new Error(`the build failed:\n${stdout}${stderr}`);
  console.warn(`the build has errors; tests run with what was compiled:\n${stdout}${stderr}`);
}
