import { describe, expect, it } from 'vitest';
import { DEFAULTS, errors, proxy } from './load.ts';

const binds = (address: string) =>
  proxy(`${DEFAULTS}frontend f\n bind ${address}\n`, 'f').binds.map((bind) => bind.endpoint);
const refused = (address: string) => errors(`${DEFAULTS}frontend f\n bind ${address}\n`);
const server = (address: string) => proxy(`${DEFAULTS}backend b\n server s ${address}\n`, 'b').servers[0]!;

describe('addresses to listen on', () => {
  it.each([
    ['*:80', [{ kind: 'tcp', host: '0.0.0.0', port: 80, family: 4 }]],
    [':80', [{ kind: 'tcp', host: '0.0.0.0', port: 80, family: 4 }]],
    ['127.0.0.1:8080', [{ kind: 'tcp', host: '127.0.0.1', port: 8080, family: 4 }]],
    ['[::]:80', [{ kind: 'tcp', host: '::', port: 80, family: 6 }]],
    [':::80', [{ kind: 'tcp', host: '::', port: 80, family: 6 }]],
    ['::1:80', [{ kind: 'tcp', host: '::1', port: 80, family: 6 }]],
    ['ipv4@:80', [{ kind: 'tcp', host: '0.0.0.0', port: 80, family: 4 }]],
    ['ipv6@:80', [{ kind: 'tcp', host: '::', port: 80, family: 6 }]],
    ['localhost:80', [{ kind: 'tcp', host: 'localhost', port: 80 }]],
    ['/run/x.sock', [{ kind: 'unix', path: '/run/x.sock' }]],
    ['unix@x.sock', [{ kind: 'unix', path: 'x.sock' }]],
    ['abns@name', [{ kind: 'unix', path: '\0name' }]],
    ['fd@3', [{ kind: 'fd', fd: 3 }]],
    [
      '127.0.0.1:80-82,/run/x',
      [
        { kind: 'tcp', host: '127.0.0.1', port: 80, family: 4 },
        { kind: 'tcp', host: '127.0.0.1', port: 81, family: 4 },
        { kind: 'tcp', host: '127.0.0.1', port: 82, family: 4 },
        { kind: 'unix', path: '/run/x' },
      ],
    ],
  ])('%s', (address, expected) => {
    expect(binds(address)).toEqual(expected);
  });

  it.each([
    ['', "'bind' wants an address with a port (*:80) or a path"],
    ['foo', "no port in 'foo'; write it behind a colon: foo:80"],
    ['*:', "no port in '*:'; write it behind a colon: *:80"],
    ['1.2.3.4', "no port in '1.2.3.4'; write it behind a colon: 1.2.3.4:80"],
    [':80x', "'80x' is not a port; ports are numbers from 1 to 65535"],
    [':70000', "'70000' is not a port; the highest is 65535"],
    [':90-80', "'90-80' is a range that ends before it begins"],
    [':0', "no port in ':0'; write it behind a colon: :0:80"],
    ['999.1.1.1:80', "'999.1.1.1' is neither an address nor a name"],
    ['ipv4@[::1]:80', "'::1' is not an IPv4 address"],
    ['fd@x', "'x' is not the number of a file descriptor"],
    ['udp@:80', "'udp@:80' is for datagrams; 'bind' wants a stream"],
    ['sockpair@3', "a pair of sockets ('sockpair@') is not supported by this engine yet"],
    ['quic4@:443', "QUIC ('quic4@') is not supported by this engine yet"],
    ['ipv5@:443', "unknown kind of address 'ipv5@'; there are ipv4@, ipv6@, tcp@, udp@, unix@, abns@, fd@"],
  ])('%j is refused', (address, message) => {
    expect(refused(address)).toEqual([message]);
  });
});

describe('addresses of servers', () => {
  it.each([
    ['10.0.0.1:80', { host: '10.0.0.1', port: 80 }],
    ['10.0.0.1', { host: '10.0.0.1', portOffset: 0 }],
    ['10.0.0.1:', { host: '10.0.0.1', portOffset: 0 }],
    ['10.0.0.1:+10', { host: '10.0.0.1', portOffset: 10 }],
    ['10.0.0.1:-10', { host: '10.0.0.1', portOffset: -10 }],
    ['web1.example.com:80', { host: 'web1.example.com', port: 80 }],
    ['web_1:80', { host: 'web_1', port: 80 }],
    ['[2001:db8::1]:80', { host: '2001:db8::1', port: 80 }],
    ['unix@/run/x', { host: '/run/x', endpoint: { kind: 'unix', path: '/run/x' } }],
    ['/run/x', { host: '/run/x', endpoint: { kind: 'unix', path: '/run/x' } }],
  ])('%s', (address, expected) => {
    expect(server(address)).toMatchObject(expected);
  });

  it('does not resolve names', () => {
    expect(server('no.such.name.invalid:80').endpoint).toEqual({
      kind: 'tcp',
      host: 'no.such.name.invalid',
      port: 80,
    });
  });

  it('has one port', () => {
    expect(errors(`${DEFAULTS}backend b\n server s 127.0.0.1:80-81\n`)).toEqual([
      'a server has one port, not a range',
    ]);
  });
});
