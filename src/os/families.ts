import { LabError } from '../errors.ts';
import { embedded } from './embedded.ts';
import type { Family } from './family.ts';

const FAMILIES: readonly Family[] = [embedded];

/** @throws LabError `os.unknown`. */
export function familyOf(name: string | undefined): Family {
  const family = FAMILIES.find((known) => known.name === name);
  if (family) return family;
  throw new LabError(`no way known to run services on a system of the family '${name}'`, {
    code: 'os.unknown',
  });
}
