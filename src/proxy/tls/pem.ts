/** PEM text (RFC 7468): blocks between dashes, whatever stands around them. */

export interface PemBlock {
  /** `CERTIFICATE`, `RSA PRIVATE KEY` … */
  readonly label: string;
  /** The block with its dashes and a final newline. */
  readonly text: string;
}

/** Blocks in their order. Text around them, such as the bag attributes of `openssl pkcs12`, is skipped. */
export function readPem(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([block, label]) => ({ label: label!, text: `${block}\n` }));
}

export const isCertificate = ({ label }: PemBlock): boolean =>
  label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE';

export const isKey = ({ label }: PemBlock): boolean => label.endsWith('PRIVATE KEY');

/** By PKCS #8, or by the header of older OpenSSL keys. */
export const isEncrypted = ({ label, text }: PemBlock): boolean =>
  label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED');

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?-----END \1-----/g;
