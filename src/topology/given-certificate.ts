import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Settings } from './schema.ts';
import type { Path, Source } from './source.ts';

/** What there is to say of the user's own certificate: an error where it cannot work, else a warning. */
export interface Remark {
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  readonly message: string;
  readonly hint?: string;
}

export interface Reading {
  /** Text of a file beside the topology. */
  readonly read: (file: string) => string | undefined;
  readonly source: Source;
  readonly now: Date;
}

const TLS: Path = ['balancer', 'tls'];
const SOON_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;
/** OpenSSL 3 calls less too weak, and so do clients. */
const MIN_RSA_BITS = 2048;

/** Reads the user's own certificate, key and authority, and looks whether they go together. */
export function checkGivenCertificate({ balancer }: Settings, { read, source, now }: Reading): Remark[] {
  const { tls, sites } = balancer;
  if (!tls?.certificate) return [];
  const at = (key: string): Path => (source.has([...TLS, key]) ? [...TLS, key] : [...TLS, 'certificate']);
  const remarks: Remark[] = [];
  const say = (severity: Remark['severity'], key: string, message: string, hint?: string): undefined => {
    remarks.push({ severity, path: at(key), message, hint });
    return undefined;
  };
  const textOf = (key: string, file: string): string | undefined =>
    read(file) ?? say('error', key, `cannot read '${file}'`);

  const text = textOf('certificate', tls.certificate);
  const certificate =
    text === undefined
      ? undefined
      : (certificateIn(text) ??
        say('error', 'certificate', `'${tls.certificate}' holds no certificate in PEM`));
  const keyText = tls.key === undefined ? text : textOf('key', tls.key);
  const key =
    keyText === undefined
      ? undefined
      : (keyIn(keyText) ?? say('error', 'key', ...noKey(keyText, tls.key ?? tls.certificate, tls.key)));
  if (tls.authority !== undefined) {
    const authority = textOf('authority', tls.authority);
    if (authority !== undefined && !certificateIn(authority))
      say('error', 'authority', `'${tls.authority}' holds no certificate in PEM`);
  }
  if (key && (key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS)
    say(
      'error',
      'key',
      `the key has ${key.asymmetricKeyDetails!.modulusLength} bits`,
      `${MIN_RSA_BITS} at least`,
    );
  if (!certificate) return remarks;
  if (key && !certificate.checkPrivateKey(key)) say('error', 'key', 'the key is not that of the certificate');

  const days = Math.floor((Date.parse(certificate.validTo) - now.getTime()) / DAY_MS);
  if (days < 0) say('error', 'certificate', `it has ended (${certificate.validTo})`);
  else if (Date.parse(certificate.validFrom) > now.getTime())
    say('error', 'certificate', `it begins later (${certificate.validFrom})`);
  else if (days < SOON_DAYS)
    say('warning', 'certificate', `it ends in ${days} days (${certificate.validTo})`);
  if (certificate.subjectAltName === undefined)
    say('warning', 'certificate', 'it has no subjectAltName, which browsers ask for');
  const hosts = Object.entries(sites).flatMap(([host, { aliases }]) => [host, ...aliases]);
  const others = hosts.filter((host) => certificate.checkHost(host) === undefined);
  if (others.length > 0)
    say(
      'warning',
      'certificate',
      `it is not for ${others.join(', ')}`,
      'clients that ask for that will refuse it',
    );
  return remarks;
}

function noKey(text: string, file: string, named: string | undefined): [message: string, hint?: string] {
  if (/ENCRYPTED/.test(text)) return [`the key in '${file}' has a password`, `openssl pkey -in ${file}`];
  return [
    `'${file}' holds no private key in PEM`,
    named === undefined ? "name its file with 'key'" : undefined,
  ];
}

function certificateIn(text: string): X509Certificate | undefined {
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
  return pem === undefined ? undefined : attempt(() => new X509Certificate(pem));
}

function keyIn(text: string): KeyObject | undefined {
  return attempt(() => createPrivateKey(text));
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
