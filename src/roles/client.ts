import type { Role } from './role.ts';

/** A place to send requests from: no services of its own. */
export const client: Role = {
  services: () => [],
  packages: ({ node, family }) => [...('haproxy' in family.software ? ['curl'] : []), ...node.packages],
  after: () => [],
  about: () => 'client',
};
