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

/** Runs a script of test/sandbox for the sandbox in this folder. */
export function sandboxScript(
  name: 'up.sh' | 'down.sh' | 'dhcp.sh',
  folder: string,
  ...options: string[]
): void {
  execFileSync(join(SCRIPTS, name), [folder, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 900_000,
  });
}

/**
 * One sandbox for all suites, taken away at the end. LABLB_SANDBOX=FOLDER uses one that is up already (or brings one
 * up there) and leaves it, which is quicker while tests are written. LABLB_SANDBOX_DAEMON=incus tests Incus.
 */
export default function setup(project: TestProject): () => void {
  const kept = process.env.LABLB_SANDBOX;
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'lablb-sandbox-'));
  const end = (): void => {
    if (!kept) sandboxScript('down.sh', folder);
  };
  try {
    sandboxScript('up.sh', folder);
    project.provide('sandbox', folder);
    project.provide('client', readFileSync(join(folder, 'client'), 'utf8').trim() as 'lxc' | 'incus');
  } catch (error) {
    end();
    throw error;
  }
  return end;
}
