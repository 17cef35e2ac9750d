import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

/** A state folder of this test's own, gone after it; also what `stateHome()` answers meanwhile. */
export function temporaryState(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-test-'));
  vi.stubEnv('XDG_STATE_HOME', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
