import { BODIES } from './workloads.mjs';

/**
 * The configurations under test. HAProxy and the engine read the very same text; nginx gets what comes nearest.
 * `at` is { listen, origins: [port, port], syslog }: all on 127.0.0.1; and { certificate }, a file with its key.
 */
export const HAPROXY_CONFIGS = {
  plain: (at) => haproxyPlain(at, ''),
  reuse: (at) => haproxyPlain(at, 'http-reuse always'),
  tls: (at) => haproxyPlain(at, '', `ssl crt ${at.certificate}`),
  tutorial: (at) => haproxyTutorial(at, 'option http-server-close'),
  tutorialKeepAlive: (at) => haproxyTutorial(at, ''),
};

export const NGINX_CONFIGS = {
  plain: (at) => nginxBalancer(at, nginxPlain()),
  reuse: (at) => nginxBalancer(at, nginxPlain()),
  tls: (at) => nginxBalancer(at, nginxPlain(' ssl', nginxCertificate(at))),
  tutorial: (at) => nginxBalancer(at, nginxTutorial(at, 'close')),
  tutorialKeepAlive: (at) => nginxBalancer(at, nginxTutorial(at, '')),
};

/** An origin: static files from `root`, and a counter of the connections it accepted. */
export function nginxOrigin(port, root) {
  return nginxMain(`
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${root};
    default_type text/plain;
    location = /accepts { stub_status; }
  }`);
}

export function originFiles() {
  return [...BODIES].map(([path, bytes]) => ({ name: path.slice(1), body: Buffer.alloc(bytes, 'lablb ') }));
}

function haproxyPlain(at, more, bind = '') {
  return `${haproxyHead('')}
frontend bench
  bind 127.0.0.1:${at.listen} ${bind}
  default_backend origins

backend origins
  balance roundrobin
  ${more}
  server o1 127.0.0.1:${at.origins[0]}
  server o2 127.0.0.1:${at.origins[1]}
`;
}

// The tutorial's own file, with addresses in place of names; chroot, user and daemon say nothing about speed.
function haproxyTutorial(at, closing) {
  return `${haproxyHead(`log 127.0.0.1:${at.syslog} local0`)}
  log global
  option httplog
  option dontlognull
  option forwardfor
  ${closing}

frontend http_frontend
  bind 127.0.0.1:${at.listen}
  acl web_host1 hdr(host) -i site1.testdomain.com
  acl web_host2 hdr(host) -i site2.testdomain.com
  use_backend subdomain1 if web_host1
  use_backend subdomain2 if web_host2

backend subdomain1
  balance roundrobin
  http-request set-header X-Client-IP %[src]
  server site1 127.0.0.1:${at.origins[0]} check
  server site2 127.0.0.1:${at.origins[1]} check

backend subdomain2
  balance roundrobin
  http-request set-header X-Client-IP %[src]
  server site2 127.0.0.1:${at.origins[1]} check
  server site1 127.0.0.1:${at.origins[0]} check
`;
}

function haproxyHead(global) {
  return `global
  maxconn 4096
  nbthread 1
  ${global}

defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s`;
}

const nginxCertificate = (at) => `
    ssl_certificate ${at.certificate};
    ssl_certificate_key ${at.certificate};`;

const nginxPlain = (listen = '', more = '') => `
  access_log off;
  server {
    listen %LISTEN%${listen} backlog=4096;${more}
    location / {
      proxy_pass http://origins;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_max_temp_file_size 0;
    }
  }`;

function nginxTutorial(at, connection) {
  return `
  access_log syslog:server=127.0.0.1:${at.syslog},facility=local0 combined;
  server { listen %LISTEN% backlog=4096 default_server; return 503; }
  server {
    listen %LISTEN%;
    server_name site1.testdomain.com site2.testdomain.com;
    location / {
      proxy_pass http://origins;
      proxy_http_version 1.1;
      proxy_set_header Connection "${connection}";
      proxy_set_header Host $host;
      proxy_set_header X-Client-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_max_temp_file_size 0;
    }
  }`;
}

function nginxBalancer(at, servers) {
  return nginxMain(`
  upstream origins {
    server 127.0.0.1:${at.origins[0]};
    server 127.0.0.1:${at.origins[1]};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  ${servers.replaceAll('%LISTEN%', `127.0.0.1:${at.listen}`)}`);
}

// One process and no master, so that the figures of /proc are those of one process for every balancer.
function nginxMain(http) {
  return `daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 8192; multi_accept on; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  client_body_temp_path tmp_body;
  proxy_temp_path tmp_proxy;
  fastcgi_temp_path tmp_fastcgi;
  uwsgi_temp_path tmp_uwsgi;
  scgi_temp_path tmp_scgi;
${http}
}
`;
}
