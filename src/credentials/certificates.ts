import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** A certificate and its private key, PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** RSA, which every client takes and the tutorial's `openssl rsa` reads; fewer bits are refused by OpenSSL 3. */
const KEY_BITS = 2048;
const AUTHORITY_DAYS = 3650;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Clocks of nodes may be behind. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;
/** RFC 5280, upper bounds: ub-common-name. */
const MAX_COMMON_NAME = 64;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/** A certificate authority for one lab. Its key is to stay with lablb. */
export async function makeAuthority(lab: string, now: Date): Promise<Pair> {
  const key = await newKey();
  const publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  const certificate = unsigned(publicKey, AUTHORITY_DAYS, now);
  const subject = [
    { name: 'commonName', value: `lablb authority of ${lab}`.slice(0, MAX_COMMON_NAME) },
    { name: 'organizationName', value: 'lablb' },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, key, key);
}

/** A server's certificate, signed by `authority`, for these names and IPv4 addresses, `days` long. */
export async function makeServer(
  authority: Pair,
  names: readonly string[],
  days: number,
  now: Date,
): Promise<Pair> {
  const key = await newKey();
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const certificate = unsigned(forge.pki.setRsaPublicKey(key.n, key.e), days, now);
  const commonName = names.find((name) => name.length <= MAX_COMMON_NAME) ?? 'lablb';
  certificate.setSubject([
    { name: 'commonName', value: commonName },
    { name: 'organizationName', value: 'lablb' },
  ]);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: names.map(alternative) },
    { name: 'subjectKeyIdentifier' },
    {
      name: 'authorityKeyIdentifier',
      keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes(),
    },
  ]);
  return signed(certificate, key, forge.pki.privateKeyFromPem(authority.key));
}

/** Certificate, key and the authority's certificate as PKCS#12 with an empty password, as in the tutorial. */
export function pkcs12Of(server: Pair, authority: Pair): Uint8Array {
  const chain = [server, authority].map(({ certificate }) => forge.pki.certificateFromPem(certificate));
  const key = forge.pki.privateKeyFromPem(server.key);
  const options = { algorithm: 'aes256', prfAlgorithm: 'sha256' } as const;
  const archive = forge.pkcs12.toPkcs12Asn1(key, chain, '', options as never);
  return Buffer.from(forge.asn1.toDer(archive).getBytes(), 'binary');
}

function unsigned(publicKey: forge.pki.rsa.PublicKey, days: number, now: Date): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  // Positive, and never the same twice: browsers refuse two certificates of one authority and number.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  const start = now.getTime() - CLOCK_SKEW_MS;
  certificate.validity.notBefore = new Date(start);
  certificate.validity.notAfter = new Date(start + days * DAY_MS);
  return certificate;
}

function signed(
  certificate: forge.pki.Certificate,
  own: forge.pki.rsa.PrivateKey,
  by: forge.pki.rsa.PrivateKey,
): Pair {
  certificate.sign(by, forge.md.sha256.create());
  const key = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(own));
  return {
    certificate: lines(forge.pki.certificateToPem(certificate)),
    key: lines(forge.pki.privateKeyInfoToPem(key)),
  };
}

/** The system's own generator: many times as fast as one in JavaScript, and off the main thread. */
async function newKey(): Promise<forge.pki.rsa.PrivateKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return forge.pki.privateKeyFromPem(privateKey);
}

function alternative(name: string): { type: number; value?: string; ip?: string } {
  return IPV4.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}

function lines(pem: string): string {
  return pem.replaceAll('\r\n', '\n');
}
