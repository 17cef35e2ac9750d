import { LabError } from '../errors.ts';
import { debian } from './debian.ts';
import { embedded } from './embedded.ts';
import type { Family } from './family.ts';
import { rhel } from './rhel.ts';

const FAMILIES: readonly Family[] = [embedded, debian, rhel];

/** @throws LabError `os.unknown`. */
export function familyOf(name: string | undefined): Family {
  const family = FAMILIES.find((known) => known.name === name);
  if (family) return family;
  throw new LabError(`no way known to run services on a system of the family '${name}'`, {
    code: 'os.unknown',
  });
}
