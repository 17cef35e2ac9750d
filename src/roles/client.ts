import { DIG } from './dns.ts';
import type { Role } from './role.ts';

/** A place to send requests from: no services of its own. */
export const client: Role = {
  services: () => [],
  packages: ({ topology, node, family }) => {
    const tools = ['curl', ...(topology.nodes.some(({ role }) => role === 'dns') ? [DIG] : [])];
    return [...('haproxy' in family.software ? tools : []), ...node.packages];
  },
  after: () => [],
  about: () => 'client',
};
