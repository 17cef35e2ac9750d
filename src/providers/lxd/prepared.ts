import { LabError } from '../../errors.ts';
import { familyOf } from '../../os/families.ts';
import { sha256 } from '../../plan/hash.ts';
import type { LxdClient } from './client.ts';
import { createInstance, startInstance } from './create.ts';
import type { InstanceSettings, LxdSettings } from './settings.ts';

/** What nodes that are alike have in common: the same image with the same packages. */
export interface Preparation {
  readonly lab: string;
  readonly family: string;
  readonly packages: readonly string[];
  /** Of one of the nodes; the image is made where they will live. */
  readonly wanted: InstanceSettings;
  readonly parent: string | undefined;
}

/** So many nodes that are alike are worth an image of their own. */
export const MANY = 4;

const INSTALL_DEADLINE_MS = 600_000;
const PUBLISH_DEADLINE_MS = 600_000;

/** The local alias: another image or another package is another alias. */
function preparedAlias(base: string, { family, packages }: Pick<Preparation, 'family' | 'packages'>): string {
  return `lablb/prepared/${sha256([base, family, ...packages.toSorted()].join('\n')).slice(0, 16)}`;
}

/**
 * An image in which the packages are installed already: the one of an earlier time, or one made now from an instance
 * that is this lab's (so that `down` takes it away if this is interrupted) and gone afterwards.
 */
export async function prepareImage(
  client: LxdClient,
  lxd: LxdSettings,
  base: string,
  preparation: Preparation,
): Promise<string> {
  const alias = preparedAlias(base, preparation);
  if ((await client.try(['image', 'info', client.at(alias)])).exitStatus === 0) return client.at(alias);
  const { lab, family, packages, wanted, parent } = preparation;
  const name = `lablb-${alias.split('/').at(-1)}`;
  const bare = { ...wanted, devices: {} };
  await client.try(['delete', '--force', client.at(name)]); // left by one that was interrupted
  await createInstance(client, lxd, { lab, name }, bare, base);
  await startInstance(client, name, { parent, vm: wanted.vm });
  await install(client, name, familyOf(family).install(packages));
  await client.call(['stop', client.at(name)], { timeoutMs: PUBLISH_DEADLINE_MS });
  const target = lxd.remote ? [`${lxd.remote}:`] : [];
  await client.call(
    ['publish', client.at(name), ...target, '--alias', alias, '--compression', 'none', '--quiet'],
    {
      timeoutMs: PUBLISH_DEADLINE_MS,
      what: 'publishing the prepared image',
    },
  );
  await client.call(['delete', '--force', client.at(name)], { timeoutMs: PUBLISH_DEADLINE_MS });
  return client.at(alias);
}

/** What is each node's own must not be in the image: its identity and its lease. */
const FORGET =
  ': >/etc/machine-id; rm -f /var/lib/dhcp/*.leases /var/lib/dhclient/*.leases /var/lib/dbus/machine-id';

async function install(client: LxdClient, name: string, argv: readonly string[]): Promise<void> {
  for (const command of [argv, ['sh', '-c', FORGET]]) {
    const result = await client.try(['exec', client.at(name), '-T', '--', ...command], {
      timeoutMs: INSTALL_DEADLINE_MS,
      what: 'installing packages in the prepared image',
    });
    if (result.exitStatus === 0) continue;
    throw new LabError('the prepared image cannot be made: a command failed', {
      code: 'lxd.prepare',
      command,
      exitStatus: result.exitStatus,
      stderr: result.stderr || result.stdout,
      hints: ["prepare: false   under 'lxd:' in the topology"],
    });
  }
}
