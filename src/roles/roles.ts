import { LabError } from '../errors.ts';
import type { TopologyNode } from '../topology/topology.ts';
import { client } from './client.ts';
import { proxy } from './proxy.ts';
import type { Role } from './role.ts';
import { web } from './web.ts';

/** What each role means. A new role is a row here and a file beside it. */
const ROLES: Readonly<Partial<Record<TopologyNode['role'], Role>>> = { web, proxy, client };

/** @throws LabError `role.unknown` for a role that the topology's schema does not offer yet. */
export function roleOf(node: TopologyNode): Role {
  const role = ROLES[node.role];
  if (role) return role;
  throw new LabError(`nothing is known about the role '${node.role}'`, {
    code: 'role.unknown',
    node: node.name,
  });
}
