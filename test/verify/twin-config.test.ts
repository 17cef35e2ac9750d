import { describe, expect, it } from 'vitest';
import { type Changes, twinConfig } from '../../src/verify/twin-config.ts';

const SOURCE = `
# A comment with server x 10.0.0.1:80
global
    chroot /var/lib/haproxy
    user haproxy
    log /dev/log local0
    stats socket /run/haproxy/admin.sock mode 660
    maxconn 2000

defaults
    log global
    mode http
    timeout server 50s
    timeout connect 5s
    default-server check

frontend http_frontend
    bind *:80
    bind 10.1.1.1:443 ssl crt /etc/haproxy/tls/cert.pem
    acl host_site1 hdr(host) -i site1.test
    use_backend site1 if host_site1

backend site1
    balance roundrobin
    http-request set-header X-Client-IP %[src]
    server web1 site1.test:80 check inter 1s rise 2 weight 3 maxconn 10 cookie a
    server web2 10.0.0.2:443 ssl verify none check backup

listen raw
    mode tcp
    bind :9000
    server db 10.0.0.3:5432

peers others
    peer a 10.0.0.9:1024
`;

function twin(changes?: Changes) {
  const config = twinConfig(SOURCE, changes);
  return {
    ...config,
    lines: config
      .text((name) => 30_000 + config.ports.indexOf(name))
      .split('\n')
      .map((l) => l.trim()),
  };
}

describe('the twin of a configuration', () => {
  it('listens on loopback alone, with all that a bind says', () => {
    const { binds, lines } = twin();
    expect(binds.map(({ address, section, tls }) => [address, section, tls])).toEqual([
      ['*:80', 'http_frontend', false],
      ['10.1.1.1:443', 'http_frontend', true],
      [':9000', 'raw', false],
    ]);
    expect(lines.filter((line) => line.startsWith('bind '))).toEqual([
      'bind 127.0.0.1:30000',
      'bind 127.0.0.1:30001 ssl crt /etc/haproxy/tls/cert.pem',
      'bind 127.0.0.1:30002',
      'bind 127.0.0.1:30003',
      'bind 127.0.0.1:30004',
      'bind 127.0.0.1:30005',
    ]);
  });

  it('has a stand-in for each server, with what decides the choice here and what it takes to reach it there', () => {
    const { servers, lines } = twin();
    expect(servers).toEqual(['site1/web1', 'site1/web2', 'raw/db']);
    expect(lines.filter((line) => line.startsWith('server '))).toEqual([
      'server web1 127.0.0.1:30003 weight 3 maxconn 10 cookie a',
      'server web2 127.0.0.1:30004 backup',
      'server db 127.0.0.1:30005',
      'server real site1.test:80',
      'server real 10.0.0.2:443 ssl verify none',
      'server real 10.0.0.3:5432',
    ]);
  });

  it('asks nothing of a server in mode tcp, whose stand-in is one too', () => {
    const text = twin().lines.join('\n');
    const [, standIn] = text.split('listen lablb_standin_2\n');
    expect(standIn).toMatch(/^mode tcp\n/);
    expect(standIn).not.toContain('http-request');
    expect(text.split('listen lablb_standin_0\n')[1]).toMatch(/^mode http\n/);
  });

  it('leaves out what concerns the process, logs, checks, and what reaches out', () => {
    const { lines } = twin();
    expect(lines.filter((line) => /chroot|user|^log |stats socket|check|peer/.test(line))).toEqual([]);
    expect(lines).toContain('maxconn 2000');
  });

  it('keeps all rules as they are', () => {
    const { lines } = twin();
    expect(lines).toEqual(
      expect.arrayContaining([
        'acl host_site1 hdr(host) -i site1.test',
        'use_backend site1 if host_site1',
        'balance roundrobin',
        'http-request set-header X-Client-IP %[src]',
      ]),
    );
  });

  it('changes what it is told to', () => {
    const { lines } = twin({
      balance: 'leastconn',
      rules: ['http-request deny if { path /x }'],
      timeouts: { server: '1s', tarpit: '2s' },
      sections: 'backend nobody',
    });
    const own = lines.slice(0, lines.indexOf('listen lablb_standin_0'));
    expect(own.filter((line) => line.startsWith('balance'))).toEqual([
      'balance leastconn',
      'balance leastconn',
    ]);
    expect(own.filter((line) => line.startsWith('timeout server'))).toEqual([
      'timeout server 1s',
      'timeout server 5m',
    ]);
    expect(own).toContain('timeout tarpit 2s');
    expect(own).toContain('timeout connect 5s');
    expect(own).toContain('backend nobody');
    // In the frontend that speaks HTTP, before its own; not in the one that does not.
    expect(own.filter((line) => line.includes('deny'))).toHaveLength(1);
    expect(own.indexOf('http-request deny if { path /x }')).toBeLessThan(
      own.indexOf('use_backend site1 if host_site1'),
    );
  });
});
