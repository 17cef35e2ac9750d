import { HAPROXY_CONFIG } from '../render/haproxy-config.ts';
import { plural } from '../text.ts';
import type { EngineName } from '../topology/topology.ts';
import { packagedService } from './packaged.ts';
import { portsOf } from './ports.ts';
import { actualPort, type Role, type RoleContext, type ServiceSpec } from './role.ts';

/** Balances: lablb's engine, or HAProxy in its place, with the same files and flags. */
export const proxy: Role = {
  services: (context) => {
    const { topology, node, view, files, programs } = context;
    if (view.kind === 'machine') return machineServices(context);
    const { argv, build } = programs.engine(node.engine ?? 'lablb');
    const { log } = topology.balancer;
    const otherLogs = log.info === undefined ? [] : [log.info];
    const own = topology.balancer.config !== undefined;
    const ports = portsOf(topology, node).filter(({ use }) => use !== 'published');
    return [
      {
        name: SERVICE_NAMES[node.engine ?? 'lablb'],
        // -db: in the foreground whatever the configuration says, so that the process is the one that was started.
        argv: [...argv, '-db', '-f', view.root + HAPROXY_CONFIG],
        build,
        log: log.file,
        errors: log.info,
        otherLogs,
        main: true,
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
  packages: ({ node, family }) => {
    const wanted = ['rsyslog', ...(node.engine === 'haproxy' ? ['haproxy'] : []), 'curl'];
    return [...('haproxy' in family.software ? wanted : []), ...node.packages];
  },
  after: (topology) => topology.nodes.filter((node) => node.role === 'web').map((node) => node.name),
  about: ({ balancer, nodes }, node) => {
    const servers = nodes.filter(({ role }) => role === 'web').length;
    const sites = balancer.sites.length > 0 ? `${plural(balancer.sites.length, 'site')}, ` : '';
    const what = balancer.config ? 'your own configuration' : `${sites}${plural(servers, 'server')}`;
    return `${SERVICE_NAMES[node.engine ?? 'lablb']}: ${what}`;
  },
};

/** A system of its own: rsyslog writes the log; the engine runs under the system's service manager. */
function machineServices({ topology, node, family, files, programs }: RoleContext): ServiceSpec[] {
  const paths = files.map((file) => file.path);
  // Names are looked up when it starts: another address of a server is another configuration.
  const watch = paths.filter((path) => path === '/etc/hosts' || path.startsWith('/etc/haproxy/'));
  const rsyslog = packagedService(family.software.rsyslog!, {
    watch: paths.filter((path) => path.startsWith('/etc/rsyslog.d/')),
    folders: [LOG_FOLDER],
  });
  const { file: log, info } = topology.balancer.log;
  const otherLogs = info === undefined ? [] : [info];
  if (node.engine === 'haproxy') {
    const haproxy = packagedService(
      { ...family.software.haproxy!, logs: [log, ...otherLogs] },
      {
        watch,
        onChange: 'reload',
        folders: [LOG_FOLDER],
        runtimeFolder: 'haproxy',
        main: true,
      },
    );
    return [rsyslog, haproxy];
  }
  const { argv, build, file } = programs.engine('lablb');
  return [
    rsyslog,
    {
      name: SERVICE_NAMES.lablb,
      about: `the load balancer of lab '${topology.name}'`,
      argv: [...argv, '-f', HAPROXY_CONFIG],
      build,
      log,
      otherLogs,
      watch,
      onChange: 'reload',
      listens: [],
      folders: [LOG_FOLDER],
      runtimeFolder: 'haproxy',
      main: true,
      files: file ? [file] : [],
    },
  ];
}

/** Where rsyslog has a socket for a balancer that sees nothing but /var/lib/haproxy. */
const LOG_FOLDER = '/var/lib/haproxy/dev';

const SERVICE_NAMES: Readonly<Record<EngineName, string>> = { lablb: 'lablb-proxy', haproxy: 'haproxy' };
