import type { LxdClient } from './client.ts';

const DEADLINE_MS = 300_000;

/** Incus moved these verbs below `snapshot`. */
const VERBS = {
  lxc: { make: ['snapshot'], restore: ['restore'] },
  incus: { make: ['snapshot', 'create'], restore: ['snapshot', 'restore'] },
} as const;

export async function makeSnapshot(client: LxdClient, node: string, name: string): Promise<void> {
  await client.call([...verbs(client).make, client.at(node), name, '--reuse'], {
    timeoutMs: DEADLINE_MS,
    what: `${node}: snapshot ${name}`,
  });
}

export async function restoreSnapshot(client: LxdClient, node: string, name: string): Promise<void> {
  await client.call([...verbs(client).restore, client.at(node), name], {
    timeoutMs: DEADLINE_MS,
    what: `${node}: restoring ${name}`,
  });
}

function verbs({ command }: LxdClient): {
  readonly make: readonly string[];
  readonly restore: readonly string[];
} {
  return command === 'incus' ? VERBS.incus : VERBS.lxc;
}
