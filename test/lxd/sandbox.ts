import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    sandbox: string;
    /** What the daemon's client is called in there. */
    client: 'lxc' | 'incus';
  }
}

const SCRIPTS = fileURLToPath(new URL('../sandbox', import.meta.url));

/**
 * One sandbox for all suites, taken away at the end. LABLB_SANDBOX=FOLDER uses one that is up already (or brings one
 * up there) and leaves it, which is quicker while tests are written. LABLB_SANDBOX_DAEMON=incus tests Incus.
 */
export default function setup(project: TestProject): () => void {
  const kept = process.env.LABLB_SANDBOX;
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'lablb-sandbox-'));
  const script = (name: string): void =>
    void execFileSync(join(SCRIPTS, name), [folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 900_000,
    });
  script('up.sh');
  project.provide('sandbox', folder);
  project.provide('client', readFileSync(join(folder, 'client'), 'utf8').trim() as 'lxc' | 'incus');
  return () => {
    if (!kept) script('down.sh');
  };
}
