import { EXIT, LabError } from '../errors.ts';
import { NODE_NAME } from '../topology/schema.ts';
import type { ProviderName } from '../topology/topology.ts';
import { renderTemplate } from './templates.ts';

/**
 * A commented topology that validates. A wanted name must be fit for a lab; a suggested one (that of a folder) is
 * made so.
 *
 * @throws LabError `init.name`.
 */
export function starterTopology(
  name: string,
  provider: ProviderName,
  wanted = true,
): { name: string; text: string } {
  if (wanted && !NODE_NAME.test(name)) {
    throw new LabError(`'${name}' is unfit for the name of a lab`, {
      code: 'init.name',
      exit: EXIT.refused,
      hints: ['lower-case letters, digits and dashes, a letter first, 63 at most'],
    });
  }
  const fit = fitName(name);
  const text = renderTemplate('init/topology.yaml.hbs', {
    name: fit,
    provider,
    lxd: provider === 'lxd',
    ssh: provider === 'ssh',
  });
  return { name: fit, text };
}

function fitName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return NODE_NAME.test(name) ? name : 'lab';
}
