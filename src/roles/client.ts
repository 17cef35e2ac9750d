import type { Role } from './role.ts';

/** A place to send requests from: no services of its own. */
export const client: Role = {
  services: () => [],
  packages: ({ node }) => [...node.packages],
  after: () => [],
  about: () => 'client',
};
