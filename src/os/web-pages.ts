import type { WebServer } from '../topology/topology.ts';

/** Where a web server of a family keeps the page that it shows when no site is configured. */
const PAGES: Readonly<Record<string, Readonly<Record<WebServer, string>>>> = {
  rhel: {
    httpd: '/usr/share/httpd/noindex/index.html',
    nginx: '/usr/share/nginx/html/index.html',
    embedded: '/var/www/html/index.html',
  },
  debian: {
    httpd: '/var/www/html/index.html',
    nginx: '/var/www/html/index.html',
    embedded: '/var/www/html/index.html',
  },
};

/** Path of the page. An unknown family has its pages where the tutorials' Rocky Linux has them. */
export function webPagePath(server: WebServer, family = 'rhel'): string {
  return (PAGES[family] ?? PAGES.rhel!)[server];
}
