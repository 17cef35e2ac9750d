import { parseTopology } from '../../src/topology/parse.ts';
import type { Topology } from '../../src/topology/topology.ts';

/** A checked topology from YAML: two web nodes and a balancer unless said otherwise. */
export function topologyOf(text: string = QUICK, file = '/lab/quick.lab.yaml'): Topology {
  return parseTopology(text, { file, env: {} });
}

export const QUICK = `
name: quick
provider: local
nodes:
  web1: { title: SITE1 }
  web2: { title: SITE2 }
  proxyha:
balancer:
  sites:
    site1.test: [web1, web2]
`;
