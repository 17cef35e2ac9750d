import { plural } from '../text.ts';
import type { EngineName } from '../topology/topology.ts';
import { portsOf } from './ports.ts';
import { actualPort, type Role } from './role.ts';

const CONFIG = '/etc/haproxy/haproxy.cfg';

/** Balances: lablb's engine, or HAProxy in its place, with the same files and flags. */
export const proxy: Role = {
  services: ({ topology, node, view, files, programs }) => {
    const { argv, build } = programs.engine(node.engine ?? 'lablb');
    const own = topology.balancer.config !== undefined;
    const ports = portsOf(topology, node).filter(({ use }) => use !== 'published');
    return [
      {
        name: SERVICE_NAMES[node.engine ?? 'lablb'],
        // -db: in the foreground whatever the configuration says, so that the process is the one that was started.
        argv: [...argv, '-db', '-f', view.root + CONFIG],
        build,
        log: topology.balancer.log.file,
        otherLogs: [],
        watch: files.map((file) => file.path).filter((path) => path.startsWith('/etc/haproxy/')),
        onChange: 'reload',
        // A configuration of the user's own listens where it says.
        listens: own
          ? []
          : ports.map(({ port }) => ({
              address: view.bind ?? '127.0.0.1',
              port: actualPort(view, node.name, port),
            })),
      },
    ];
  },
  packages: ({ node }) => [...node.packages],
  after: (topology) => topology.nodes.filter((node) => node.role === 'web').map((node) => node.name),
  about: ({ balancer, nodes }, node) => {
    const servers = nodes.filter(({ role }) => role === 'web').length;
    const sites = balancer.sites.length > 0 ? `${plural(balancer.sites.length, 'site')}, ` : '';
    const what = balancer.config ? 'your own configuration' : `${sites}${plural(servers, 'server')}`;
    return `${SERVICE_NAMES[node.engine ?? 'lablb']}: ${what}`;
  },
};

const SERVICE_NAMES: Readonly<Record<EngineName, string>> = { lablb: 'lablb-proxy', haproxy: 'haproxy' };
