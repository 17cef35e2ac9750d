import type { TopologyNode } from '../topology/topology.ts';
import { client } from './client.ts';
import { dns } from './dns.ts';
import { proxy } from './proxy.ts';
import type { Role } from './role.ts';
import { web } from './web.ts';

/** What each role means. A new role is a row here and a file beside it. */
const ROLES: Readonly<Record<TopologyNode['role'], Role>> = { web, proxy, client, dns };

export function roleOf(node: TopologyNode): Role {
  return ROLES[node.role];
}
