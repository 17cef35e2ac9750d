/** A certificate with its key, as `crt` names them: checked, and with the names it was made out to. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { namesOf } from '../../sockets/certificate-names.ts';
import type { TlsIdentity } from '../../sockets/transport.ts';
import { isCertificate, isEncrypted, isKey, readPem } from './pem.ts';

export interface Certificate extends TlsIdentity {
  readonly file: string;
  /** Lower case; a first label `*` stands for any one. */
  readonly names: readonly string[];
}

/** What is wrong with a file, and the way out. Never holds anything of a key. */
export class CertificateFault extends Error {
  override name = 'CertificateFault';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * The first certificate is the server's own, the others its chain (manual, bind option `crt`). The key stands in the
 * same file, or in `beside`, the text of `FILE.key`.
 *
 * @throws CertificateFault
 */
export function readCertificate(file: string, text: string, beside: string | undefined): Certificate {
  const blocks = readPem(text);
  const chain = blocks.filter(isCertificate);
  if (chain.length === 0)
    throw new CertificateFault(
      `no certificate in '${file}'`,
      'it must be PEM text with BEGIN CERTIFICATE lines',
    );
  const own = parse(chain[0]!.text, file);
  const key = blocks.find(isKey) ?? readPem(beside ?? '').find(isKey);
  if (key === undefined)
    throw new CertificateFault(
      `no private key in '${file}', nor in '${file}.key'`,
      `put both in one file: cat server.crt server.key > ${nameOf(file)}`,
    );
  if (isEncrypted(key))
    throw new CertificateFault(
      `the private key in '${file}' is encrypted, and nobody is there to type its passphrase`,
      'decrypt it: openssl pkey -in FILE -out FILE.key',
    );
  if (!fits(own, key.text, file))
    throw new CertificateFault(
      `the private key and the certificate in '${file}' do not belong together`,
      'the first certificate of the file must be the one of the key',
    );
  const bits = own.publicKey.asymmetricKeyDetails?.modulusLength ?? SHORTEST;
  if (bits < SHORTEST)
    throw new CertificateFault(
      `the key in '${file}' has only ${bits} bits: clients refuse it, and so does HAProxy`,
      `make one with ${SHORTEST}: openssl req -newkey rsa:${SHORTEST} …`,
    );
  for (const { text: each } of chain.slice(1)) parse(each, file);
  return {
    file,
    cert: chain.map((block) => block.text).join(''),
    key: key.text,
    names: certificateNames(own),
  };
}

/** Bits of an RSA key: what OpenSSL's security level 2, the default of today's systems, asks for. */
const SHORTEST = 2048;

/** Authorities of a `ca-file`, as one text. @throws CertificateFault */
export function readAuthorities(file: string, text: string): string {
  const blocks = readPem(text).filter(isCertificate);
  if (blocks.length === 0) throw new CertificateFault(`no certificate in '${file}'`);
  for (const block of blocks) parse(block.text, file);
  return blocks.map((block) => block.text).join('');
}

function parse(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new CertificateFault(`a certificate in '${file}' cannot be read`, 'was the file cut or edited?');
  }
}

function fits(certificate: X509Certificate, key: string, file: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new CertificateFault(`the private key in '${file}' cannot be read`, 'was the file cut or edited?');
  }
}

function certificateNames({ subject, subjectAltName }: X509Certificate): string[] {
  const CN = [...subject.matchAll(/^CN=(.*)$/gm)].map(([, name]) => name!);
  return [
    ...new Set(namesOf({ subject: { CN }, subjectaltname: subjectAltName }).map((n) => n.toLowerCase())),
  ];
}

const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
