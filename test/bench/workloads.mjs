/**
 * What is measured. One row a workload:
 * - `path`: what the load generator asks for; `bytes`: the body that must come back;
 * - `headers`: what it sends besides;
 * - `config`: which of the configurations in balancers.mjs serves it;
 * - `logs`: a log line must come for each request;
 * - `tls`: asked for over TLS;
 * - `extra`: measured only when named by `--only`.
 */
export const WORKLOADS = [
  {
    name: 'keepalive',
    about: 'small body, connections kept',
    path: '/small',
    bytes: 128,
    headers: [],
    config: 'plain',
  },
  {
    name: '16k',
    about: '16 KiB bodies, connections kept',
    path: '/16k',
    bytes: 16 * 1024,
    headers: [],
    config: 'plain',
  },
  {
    name: '1m',
    about: '1 MiB bodies, connections kept',
    path: '/1m',
    bytes: 1024 * 1024,
    headers: [],
    config: 'plain',
  },
  {
    name: 'newconn',
    about: 'a new client connection for each request',
    path: '/small',
    bytes: 128,
    headers: ['Connection: close'],
    config: 'plain',
  },
  {
    name: 'tutorial',
    about: 'host ACLs, set-header, forwardfor, http-server-close, httplog to UDP syslog, checks on',
    path: '/small',
    bytes: 128,
    headers: ['Host: site1.testdomain.com'],
    config: 'tutorial',
    logs: true,
  },
  {
    name: 'tls-small',
    about: 'small body over TLS, connections kept',
    path: '/small',
    bytes: 128,
    headers: [],
    config: 'tls',
    tls: true,
  },
  {
    name: 'tls-1m',
    about: '1 MiB bodies over TLS, connections kept',
    path: '/1m',
    bytes: 1024 * 1024,
    headers: [],
    config: 'tls',
    tls: true,
  },
  {
    name: 'tls-newconn',
    about: 'a new client connection, and its handshake, for each request',
    path: '/small',
    bytes: 128,
    headers: ['Connection: close'],
    config: 'tls',
    tls: true,
    extra: true,
  },
  {
    name: 'newconn-reuse',
    about: 'a new client connection for each request, server connections shared (http-reuse always)',
    path: '/small',
    bytes: 128,
    headers: ['Connection: close'],
    config: 'reuse',
    extra: true,
  },
  {
    name: 'tutorial-keepalive',
    about: 'the tutorial without http-server-close: server connections kept',
    path: '/small',
    bytes: 128,
    headers: ['Host: site1.testdomain.com'],
    config: 'tutorialKeepAlive',
    logs: true,
    extra: true,
  },
];

/** The bodies that the origin servers hold, by path. */
export const BODIES = new Map(WORKLOADS.map((w) => [w.path, w.bytes]));
