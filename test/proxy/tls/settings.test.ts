import { describe, expect, it } from 'vitest';
import { tlsClient, tlsServer } from '../../../src/proxy/tls/contexts.ts';
import { chooseByName } from '../../../src/proxy/tls/names.ts';
import { versionRange } from '../../../src/proxy/tls/versions.ts';
import { bearsName } from '../../../src/sockets/certificate-names.ts';
import { DEFAULTS, load } from '../keywords/load.ts';

describe('versionRange', () => {
  it.each([
    [{}, 'TLSv1.2', 'TLSv1.3'],
    [{ minVersion: 'TLSv1.0' }, 'TLSv1.0', 'TLSv1.3'],
    [{ maxVersion: 'TLSv1.2' }, 'TLSv1.2', 'TLSv1.2'],
    [{ maxVersion: 'TLSv1.1' }, 'TLSv1.1', 'TLSv1.1'],
    [{ excluded: ['TLSv1.3'] }, 'TLSv1.2', 'TLSv1.2'],
    [{ excluded: ['TLSv1.2'] }, 'TLSv1.3', 'TLSv1.3'],
    [{ excluded: ['SSLv3', 'TLSv1.0', 'TLSv1.1'] }, 'TLSv1.2', 'TLSv1.3'],
    [{ minVersion: 'TLSv1.2', excluded: ['TLSv1.3'] }, 'TLSv1.2', 'TLSv1.3'],
  ])('%o', (options, min, max) => {
    expect(versionRange(options)).toEqual({ min, max });
  });
});

describe('chooseByName', () => {
  const choose = chooseByName([
    { names: ['a.test', '*.a.test'] },
    { names: ['x.a.test'] },
    { names: ['a.test'] },
  ]);

  it.each([
    ['a.test', 0],
    ['A.Test', 0],
    ['w.a.test', 0],
    ['x.a.test', 1],
    ['v.w.a.test', undefined],
    ['b.test', undefined],
    ['localhost', undefined],
    ['', undefined],
  ])('%s', (name, index) => {
    expect(choose(name)).toBe(index);
  });
});

describe('bearsName', () => {
  const certificate = {
    subject: { CN: 'common.test' },
    subjectaltname: 'DNS:a.test, IP Address:10.0.0.1, DNS:*.w.test, DNS:*.test, DNS:p*.q.test',
  };

  it.each([
    ['a.test', true],
    ['A.TEST', true],
    ['common.test', true],
    ['x.w.test', true],
    ['w.test', false],
    ['x.y.w.test', false],
    ['other.test', false],
    ['pre.q.test', true],
    ['q.q.test', false],
    ['', false],
  ])('%s', (name, holds) => {
    expect(bearsName(certificate, name)).toBe(holds);
  });
});

describe('what the transport is told', () => {
  function settings(text: string) {
    const { configuration, rendered } = load(text);
    expect(rendered).toBe('');
    return { global: configuration.global, proxy: configuration.proxies[0]! };
  }

  it('of clients: the line goes before the defaults, HTTP/2 is not offered, and what only OpenSSL knows is left out', () => {
    const { global, proxy } = settings(
      `global\n ssl-default-bind-ciphers PROFILE=SYSTEM\n ssl-default-bind-options no-tlsv13 no-tls-tickets\n${DEFAULTS}listen l\n bind :443 ssl crt /a.pem alpn h2,http/1.1 ca-file /a.pem verify optional\n server s h:80\n`,
    );
    expect(tlsServer(proxy.binds[0]!.ssl!, proxy, global)).toMatchObject({
      alpn: ['http/1.1'],
      ciphers: undefined,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      tickets: false,
      clients: { required: false },
      handshakeTimeoutMs: 50_000,
      choose: undefined,
    });
  });

  it('of clients in TCP mode: any protocol, for it is only passed on', () => {
    const { global, proxy } = settings(
      `${DEFAULTS}listen l\n mode tcp\n bind :443 ssl crt /a.pem alpn h2,http/1.1 ciphers HIGH:@SECLEVEL=1 ssl-min-ver TLSv1.0\n server s h:80\n`,
    );
    expect(tlsServer(proxy.binds[0]!.ssl!, proxy, global)).toMatchObject({
      alpn: ['h2', 'http/1.1'],
      ciphers: 'HIGH',
      minVersion: 'TLSv1',
    });
  });

  it('of servers', () => {
    const { global, proxy } = settings(
      `global\n ssl-default-server-options ssl-min-ver TLSv1.3\n${DEFAULTS}backend b\n server s h:443 ssl ca-file /a.pem verifyhost h crt /a.pem check-sni c\n`,
    );
    expect(tlsClient(proxy.servers[0]!.ssl!, 'http', global, 'c')).toMatchObject({
      verify: true,
      verifyName: 'h',
      serverName: 'c',
      minVersion: 'TLSv1.3',
      identity: { file: '/a.pem' },
    });
  });
});
