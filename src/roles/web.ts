import { dirname } from 'node:path/posix';
import { LabError } from '../errors.ts';
import type { SoftwareName } from '../os/family.ts';
import { portFiles } from '../os/web-ports.ts';
import type { WebServer } from '../topology/topology.ts';
import { packagedService } from './packaged.ts';
import { actualPort, type Role } from './role.ts';

/** Serves the node's page. On a local node the embedded server does it, under the name of the one it stands for. */
export const web: Role = {
  services: ({ node, view, family, files, programs }) => {
    const installed = node.server && family.software[node.server as SoftwareName];
    if (installed) {
      const own = portFiles(node.server!, family.name).map(({ path }) => path);
      const watch = files.map(({ path }) => path).filter((path) => own.includes(path));
      return [packagedService(installed, { main: true, watch })];
    }
    const page = files.find((file) => file.path.endsWith('/index.html'));
    if (!page)
      throw new LabError('nothing was rendered for it to serve', { code: 'role.no-page', node: node.name });
    const name = SERVICE_NAMES[node.server ?? 'embedded'];
    const address = view.bind ?? '*';
    const port = actualPort(view, node.name, node.port);
    const accessLog = `/var/log/${name}/access.log`;
    const { argv, build } = programs.webServer();
    const listen = ['--address', address, '--port', String(port)];
    const serve = ['--root', view.root + dirname(page.path), '--access-log', view.root + accessLog];
    return [
      {
        name,
        argv: [...argv, ...listen, ...serve],
        build,
        log: `/var/log/${name}/error.log`,
        otherLogs: [accessLog],
        watch: [], // it reads the page at each request
        onChange: 'restart',
        listens: [{ address, port }],
        main: true,
      },
    ];
  },
  packages: ({ node, family }) => {
    const own = node.server && node.server in family.software ? [node.server] : [];
    return [...own, ...node.packages];
  },
  after: () => [],
  about: (_, node) => `${SERVICE_NAMES[node.server ?? 'embedded']}, page ${node.title}`,
};

const SERVICE_NAMES: Readonly<Record<WebServer, string>> = {
  httpd: 'httpd',
  nginx: 'nginx',
  embedded: 'web',
};
