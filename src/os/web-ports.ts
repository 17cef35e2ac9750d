import type { WebServer } from '../topology/topology.ts';

/** A file of a web server's configuration, and the template that it is when the server has another port than 80. */
export interface PortFile {
  readonly path: string;
  readonly template: string;
}

/** Where the packages say `Listen 80`: a file beside it could only add a port, so these are replaced as a whole. */
const FILES: Readonly<Record<string, Readonly<Partial<Record<WebServer, readonly PortFile[]>>>>> = {
  rhel: {
    httpd: [{ path: '/etc/httpd/conf/httpd.conf', template: 'web/httpd.conf.hbs' }],
    nginx: [{ path: '/etc/nginx/nginx.conf', template: 'web/nginx.conf.hbs' }],
  },
  debian: {
    httpd: [
      { path: '/etc/apache2/ports.conf', template: 'web/apache-ports.conf.hbs' },
      { path: '/etc/apache2/sites-available/000-default.conf', template: 'web/apache-site.conf.hbs' },
    ],
    nginx: [{ path: '/etc/nginx/sites-available/default', template: 'web/nginx-site.hbs' }],
  },
};

/** Modules that httpd.conf needs for the page, where the package does not load them by itself. */
export const HTTPD_MODULES = ['mpm_event', 'authz_core', 'authz_host', 'dir', 'autoindex', 'alias', 'mime'];

export const PACKAGED_PORT = 80;

export function portFiles(server: WebServer, family = 'rhel'): readonly PortFile[] {
  return (FILES[family] ?? FILES.rhel!)[server] ?? [];
}
