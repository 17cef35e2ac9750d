import { describe, expect, it } from 'vitest';
import { errors, load } from './load.ts';

const global = (lines: string) => load(`global\n${lines}\n`).configuration;

describe('global', () => {
  it('reads what the engine acts on', () => {
    const { global: settings, noted } = global(
      'log /dev/log local0\nlog 127.0.0.1:514 local1 notice\nmaxconn 4000\npidfile /run/x.pid\ndaemon\nstats socket /run/admin.sock mode 660 level admin expose-fd listeners user u\nstats socket 127.0.0.1:9999 level user\nstats timeout 30s\nhard-stop-after 1m\nnode n1\nspread-checks 5\ntune.bufsize 32k\nlog-send-hostname h\nlog-tag t',
    );
    expect(settings).toMatchObject({
      maxconn: 4000,
      pidfile: '/run/x.pid',
      daemon: true,
      statsTimeout: 30_000,
      hardStopAfter: 60_000,
      node: 'n1',
      spreadChecks: 5,
      tune: { bufsize: 32768 },
      logSendHostname: 'h',
      logTag: 't',
    });
    expect(settings.logs.map((target) => target.level)).toEqual([7, 5]);
    expect(settings.statsSockets).toMatchObject([
      {
        endpoint: { kind: 'unix', path: '/run/admin.sock' },
        mode: 0o660,
        level: 'admin',
      },
      { endpoint: { kind: 'tcp', host: '127.0.0.1', port: 9999 }, level: 'user' },
    ]);
    expect(noted.map(({ keyword }) => keyword)).toEqual(['stats socket … user']);
  });

  it('notes what it does not act on, with its place', () => {
    const { noted } = global(
      'chroot /var/lib/haproxy\nuser haproxy\ntune.ssl.default-dh-param 2048\ncpu-map 1 0\nno strict-limits',
    );
    expect(noted.map((n) => [n.keyword, n.place.line])).toEqual([
      ['chroot', 2],
      ['user', 3],
      ['tune.ssl.default-dh-param', 4],
      ['cpu-map', 5],
      ['strict-limits', 6],
    ]);
  });

  it('reads what TLS lines without words of their own do', () => {
    const { sslDefaultBind, sslDefaultServer } = global(
      'ssl-default-bind-options no-sslv3 no-tlsv10 no-tls-tickets prefer-client-ciphers\nssl-default-bind-ciphers A:B\nssl-default-server-options ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2\nssl-server-verify none',
    ).global;
    expect(sslDefaultBind).toMatchObject({ excluded: ['SSLv3', 'TLSv1.0'], noTickets: true, ciphers: 'A:B' });
    expect(sslDefaultServer).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', verify: 'none' });
  });

  it('changes the environment of the lines below', () => {
    const text =
      'global\n setenv A 1\n presetenv A 2\n presetenv B 3\n unsetenv C\n log-tag "$A$B${C-none}"\n resetenv A\n node "$A${B-gone}"\n';
    const { global: settings } = load(text, { env: { C: 'x' } }).configuration;
    expect([settings.logTag, settings.node]).toEqual(['13none', '1gone']);
  });

  it.each([
    ['maxcon 3', "unknown keyword 'maxcon' in section 'global'; did you mean 'maxconn'?"],
    ['maxconn x', "'x' is not a number (a whole number from 0 to 2147483647)"],
    ['daemon x', "'daemon' does not take 'x' here"],
    ['chroot', "'chroot' wants <folder>"],
    ['tune.foo 3', "unknown keyword 'tune.foo' in section 'global'"],
    ['lua-load x.lua', "'lua-load' is not supported by this engine yet"],
    ['spread-checks 80', "'80' is not a percentage (a whole number from 0 to 50)"],
    ['stats socket', "'stats socket' wants a path or an address"],
    ['stats socket /x level root', "unknown level 'root'"],
    ['stats socket /x foo', "unknown option 'foo' of 'stats socket'"],
    ['node a/b', "'a/b' is not a name for a node; letters, digits, -, _ and . can be in it"],
    [
      'balance roundrobin',
      "unknown keyword 'balance' in section 'global'; it belongs in 'defaults', 'frontend', 'backend', 'listen'",
    ],
  ])('%s', (line, message) => {
    const found = errors(`global\n ${line}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]!.startsWith(message), found[0]).toBe(true);
  });

  it.each(['cache', 'peers', 'ring', 'program', 'fcgi-app', 'mailers', 'log-forward', 'crt-store'])(
    'refuses section %s by name, once',
    (section) => {
      expect(errors(`${section} x\n any thing\n other thing\nglobal\n`)).toEqual([
        `section '${section}' is not supported by this engine yet`,
      ]);
    },
  );

  it('reads resolvers', () => {
    const text =
      'resolvers r\n nameserver ns1 127.0.0.1:53\n parse-resolv-conf\n hold valid 10s\n timeout retry 1s\n resolve_retries 3\n accepted_payload_size 8192\n';
    const { findings, configuration } = load(text);
    expect(findings).toEqual([]);
    expect(configuration.noted[0]).toMatchObject({ keyword: 'resolvers', place: { line: 1 } });
  });
});
