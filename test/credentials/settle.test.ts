import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { certificateNames } from '../../src/credentials/names.ts';
import { type Kept, renewalDays, type Settled, settleCredentials } from '../../src/credentials/settle.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { needs } from '../support/needs.ts';
import { topologyOf } from '../support/topology.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = new Date('2026-06-01T12:00:00Z');
const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY);

const ADDRESSES = new Map([
  ['web1', '10.0.0.1'],
  ['web2', '10.0.0.2'],
  ['proxyha', '10.0.0.3'],
]);

function lab(balancer: string): Topology {
  return topologyOf(`nodes: { web1: , web2: , proxyha: }\nbalancer:\n  ${balancer}\n`, '/lab/t.lab.yaml');
}

const SITES = 'sites: { Shop.Example.test: { servers: [web1], aliases: [buy.example.test] } }';
const WITH_TLS = lab(`${SITES}\n  tls: true`);

function settle(
  topology: Topology,
  kept: Kept,
  now = NOW,
  addresses: ReadonlyMap<string, string> = ADDRESSES,
) {
  return settleCredentials(topology, { addresses, kept, now });
}

describe('the certificate of a lab', () => {
  let first: Settled;
  let certificate: X509Certificate;
  let authority: X509Certificate;
  beforeAll(async () => {
    first = await settle(WITH_TLS, {});
    certificate = new X509Certificate(first.credentials.tls!.certificate);
    authority = new X509Certificate(first.credentials.tls!.authority!);
  });

  it('is signed by the lab’s authority, which may sign servers alone', () => {
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect([certificate.ca, authority.ca]).toEqual([false, true]);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']); // serverAuth
    expect(authority.subject).toContain('CN=lablb authority of t');
  });

  it('is for every name and every address', () => {
    const names = 'shop.example.test buy.example.test shop proxyha web1 web2 localhost'.split(' ');
    const addresses = ['10.0.0.3', '10.0.0.1', '10.0.0.2', '127.0.0.1'];
    expect(certificate.subjectAltName).toBe(
      [...names.map((name) => `DNS:${name}`), ...addresses.map((ip) => `IP Address:${ip}`)].join(', '),
    );
    expect(certificate.subject).toContain('CN=shop.example.test');
    expect(certificateNames(WITH_TLS, new Map())).toEqual([...names, '127.0.0.1']);
  });

  it('has a key of today’s size, which is its own, and is good for a year', () => {
    const key = createPrivateKey(first.credentials.tls!.key);
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(365 * DAY);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(NOW.getTime());
  });

  it('keeps the authority’s key to itself', () => {
    expect(first.kept.tls!.authority.key).toContain('PRIVATE KEY');
    expect(JSON.stringify(first.credentials)).not.toContain(
      JSON.stringify(first.kept.tls!.authority.key).slice(40, 120),
    );
  });

  it.skipIf(!needs('openssl'))('is what openssl calls good, and its PKCS#12 has an empty password', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lablb-p12-'));
    try {
      const { pkcs12, certificate: pem, authority: ca, key } = first.credentials.tls!;
      for (const [name, content] of Object.entries({ 'cert.p12': pkcs12!, 'crt.pem': pem, 'ca.pem': ca! }))
        writeFileSync(join(folder, name), content);
      const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' });
      const at = String(NOW.getTime() / 1000);
      expect(
        openssl(
          'verify',
          '-x509_strict',
          '-attime',
          at,
          '-purpose',
          'sslserver',
          '-CAfile',
          'ca.pem',
          'crt.pem',
        ),
      ).toContain('crt.pem: OK');
      const unpacked = openssl('pkcs12', '-in', 'cert.p12', '-nodes', '-passin', 'pass:');
      expect(unpacked.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      expect(unpacked).toContain(key.trim());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('stays while it fits', async () => {
    const again = await settle(WITH_TLS, first.kept, inDays(300));
    expect(again.kept).toBe(first.kept);
    expect(again.because).toBeUndefined();
    expect(again.credentials).toEqual(first.credentials);
  });

  it.each([
    ['near its end', 353, 'the certificate ends in 11 days'],
    ['on its last day', 364.5, 'the certificate ends in 0 days'],
    ['after its end', 400, 'the certificate has ended'],
  ])('is made anew %s, by the same authority', async (_, days, because) => {
    const renewed = await settle(WITH_TLS, first.kept, inDays(days));
    expect(renewed.because).toBe(because);
    expect(renewed.kept.tls!.server.key).not.toBe(first.kept.tls!.server.key);
    expect(renewed.kept.tls!.authority).toBe(first.kept.tls!.authority);
    const later = await settle(WITH_TLS, renewed.kept, inDays(days));
    expect(later.kept).toBe(renewed.kept);
  });

  it('has another authority when that one would end before it', async () => {
    const late = await settle(WITH_TLS, first.kept, inDays(3650 - 100));
    expect(late.because).toBe('the certificate has ended');
    expect(late.kept.tls!.authority).not.toEqual(first.kept.tls!.authority);
  });

  it('follows addresses as they become known or change', async () => {
    const moved = new Map([...ADDRESSES, ['proxyha', '10.0.0.9']]);
    const { because } = await settle(WITH_TLS, first.kept, NOW, moved);
    expect(because).toBe('the certificate is not for 10.0.0.9');
    const fewer = lab(`${SITES.replace(', aliases: [buy.example.test]', '')}\n  tls: true`);
    expect((await settle(fewer, first.kept)).because).toBe(
      'the certificate is for buy.example.test, which the lab no longer has',
    );
  });

  it('is left alone while a node’s address is not known yet', async () => {
    const fewer = new Map([...ADDRESSES].slice(1));
    expect((await settle(WITH_TLS, first.kept, NOW, fewer)).kept).toBe(first.kept);
  });

  it('has the days and the further names that the topology says', async () => {
    const short = lab(`${SITES}\n  tls: { days: 10, names: [lab.example.test, 192.0.2.7] }`);
    const changed = await settle(short, first.kept);
    expect(changed.because).toBe('the certificate is not for lab.example.test, 192.0.2.7');
    const made = new X509Certificate(changed.credentials.tls!.certificate);
    expect(made.checkIP('192.0.2.7')).toBe('192.0.2.7');
    expect(Date.parse(made.validTo) - Date.parse(made.validFrom)).toBe(10 * DAY);
    // A short life is no reason to make another one each time.
    expect((await settle(short, changed.kept, inDays(6))).kept).toBe(changed.kept);
    expect((await settle(short, changed.kept, inDays(7))).because).toBe('the certificate ends in 2 days');
    const longer = lab(`${SITES}\n  tls: { days: 20, names: [lab.example.test, 192.0.2.7] }`);
    expect((await settle(longer, changed.kept)).because).toBe(
      'the certificate is for 10 days, and should be for 20',
    );
    expect([renewalDays(10), renewalDays(365)]).toEqual([10 / 3, 30]);
  });
});

describe('the password of the statistics page', () => {
  it('is made once for a user without one', async () => {
    const topology = lab('stats: { user: haproxy }');
    const made = await settle(topology, {});
    expect(made.credentials.statsPassword).toMatch(/^[A-Za-z2-9]{20}$/);
    const again = await settle(topology, made.kept);
    expect(again.kept).toBe(made.kept);
    expect(again.credentials).toEqual(made.credentials);
    expect((await settle(topology, {})).credentials).not.toEqual(made.credentials);
  });

  it.each(['stats: { user: haproxy, password: own }', 'stats: true', 'stats: false'])(
    'is none of lablb’s with %s',
    async (balancer) => {
      const kept = {};
      expect(await settle(lab(balancer), kept)).toEqual({ credentials: {}, kept: {} });
    },
  );
});
