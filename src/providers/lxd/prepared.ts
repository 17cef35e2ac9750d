import { familyOf } from '../../os/families.ts';
import { sha256 } from '../../plan/hash.ts';
import type { NodeSpec } from '../provider.ts';
import type { LxdClient } from './client.ts';
import { copyInstance } from './create.ts';
import type { Wait } from './network.ts';
import type { LxdSettings } from './settings.ts';

/** What nodes that are alike have in common: the same image with the same packages. */
export interface Preparation {
  readonly lab: string;
  readonly family: string;
  readonly packages: readonly string[];
}

/** So many nodes that are alike are worth an image of their own. */
export const MANY = 4;

const INSTALL_DEADLINE_MS = 600_000;
const PUBLISH_DEADLINE_MS = 600_000;

/** The local alias of an image with the packages in it: another image or another package is another alias. */
export function preparedAlias(base: string, { family, packages }: Preparation): string {
  return `lablb/prepared/${sha256([base, family, ...packages.toSorted()].join('\n')).slice(0, 16)}`;
}

/** Installs the packages on a node that runs, and has it forget for a while what is its own: see `recall`. */
export function preparing({ family, packages }: Preparation): NonNullable<Wait['andThen']> {
  const install = familyOf(family).install(packages, { fresh: true });
  return { argv: ['sh', '-c', `"$@" || exit\n${FORGET}`, 'sh', ...install], timeoutMs: INSTALL_DEADLINE_MS };
}

/** After the copies were made of a node that was prepared. */
export async function recall(client: LxdClient, name: string): Promise<void> {
  await client.call(['exec', client.at(name), '-T', '--', 'sh', '-c', RECALL]);
}

/**
 * A copy of what was prepared, to keep it as an image for labs to come, and its name. It is this lab's, so that `down`
 * takes it away if this is interrupted.
 */
export async function draftOf(
  client: LxdClient,
  lxd: LxdSettings,
  { lab, name: of }: Pick<NodeSpec, 'lab' | 'name'>,
  alias: string,
): Promise<string> {
  const name = draftName(alias);
  await client.try(['delete', '--force', client.at(name)]); // left by one that was interrupted
  await copyInstance(client, lxd, { lab, name }, of);
  return name;
}

/** An instance's name. */
export function draftName(alias: string): string {
  return `lablb-${alias.split('/').at(-1)}`;
}

/** The image of a draft, which is gone afterwards. */
export async function publish(client: LxdClient, draft: string, alias: string): Promise<void> {
  const keep = ['--alias', alias, '--compression', 'none', '--quiet'];
  await client.try(['publish', client.at(draft), ...client.remote, ...keep], {
    timeoutMs: PUBLISH_DEADLINE_MS,
    what: 'publishing the prepared image',
  });
  await client.call(['delete', '--force', client.at(draft)], { timeoutMs: PUBLISH_DEADLINE_MS });
}

/** What is each node's own must not be in a copy or an image: its identity and its lease. */
const FORGET = `mkdir -p /run/lablb; cp /etc/machine-id /run/lablb/machine-id; : >/etc/machine-id
[ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
rm -f /var/lib/dhcp/*.leases /var/lib/dhclient/*.lease* /var/lib/NetworkManager/*.lease`;
const RECALL =
  '[ ! -e /run/lablb/machine-id ] || { cat /run/lablb/machine-id >/etc/machine-id && rm /run/lablb/machine-id; }';
