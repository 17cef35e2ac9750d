import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Before all tests: the CLI is compiled when a source is newer. LABLB_NO_BUILD=1 leaves that to the caller. */
export default function setup(): void {
  if (process.env.LABLB_NO_BUILD === '1') return;
  const script = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'cli'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}
