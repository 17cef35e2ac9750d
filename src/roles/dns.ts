import { dnsPaths, EMBEDDED_NAMES } from '../os/dns-paths.ts';
import { plural } from '../text.ts';
import { packagedService } from './packaged.ts';
import { actualPort, type Role } from './role.ts';

/** Answers for the lab's names. On a local node lablb's own server does it, under the name of the one it stands for. */
export const dns: Role = {
  services: ({ topology, node, view, family, files, programs }) => {
    const server = node.dns ?? 'dnsmasq';
    const installed = family.software[server];
    const { zones, ...paths } = dnsPaths(view.family);
    if (installed) {
      const log = paths.logs[server];
      const watch = files
        .map(({ path }) => path)
        .filter((path) => path === paths[server] || path.startsWith(`${zones}/`));
      return [packagedService({ ...installed, logs: [log] }, { watch, main: true })];
    }
    const address = view.bind ?? '127.0.0.1';
    const port = actualPort(view, node.name, node.port);
    const { argv, build } = programs.dnsServer();
    const listen = ['--address', address, '--port', String(port)];
    return [
      {
        name: server,
        argv: [...argv, ...listen, '--names', view.root + EMBEDDED_NAMES, '--ttl', String(topology.dns.ttl)],
        build,
        log: `/var/log/${server}.log`,
        otherLogs: [],
        watch: [EMBEDDED_NAMES],
        onChange: 'restart',
        listens: [{ address, port }],
        main: true,
      },
    ];
  },
  packages: ({ node, family }) => {
    const server = node.dns ?? 'dnsmasq';
    return [...(server in family.software ? [server, DIG] : []), ...node.packages];
  },
  after: () => [],
  about: ({ nodes, balancer }, node) => {
    const sites = balancer.sites.length > 0 ? `${plural(balancer.sites.length, 'site')}, ` : '';
    return `${node.dns ?? 'dnsmasq'}: ${sites}${plural(nodes.length, 'node')}`;
  },
};

/** The package with `dig`, as Red Hat calls it. */
export const DIG = 'bind-utils';
