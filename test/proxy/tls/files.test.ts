import { describe, expect, it } from 'vitest';
import { CERTIFICATE, DEFAULTS, errors, load } from '../keywords/load.ts';

const [CERT, KEY] = CERTIFICATE.split(/(?=-----BEGIN PRIVATE)/) as [string, string];

/** Errors of `bind :443 ssl …` with these files about. */
const refused = (words: string, files: Record<string, string> = {}, folders: Record<string, string[]> = {}) =>
  errors(`${DEFAULTS}listen l\n bind :443 ssl ${words}\n server s 127.0.0.1:80\n`, {
    files,
    readDir: (path) => folders[path],
  });
const certificates = (
  words: string,
  files: Record<string, string>,
  folders: Record<string, string[]> = {},
) => {
  const { configuration, rendered } = load(
    `${DEFAULTS}listen l\n bind :443 ssl ${words}\n server s 127.0.0.1:80\n`,
    { files, readDir: (path) => folders[path] },
  );
  expect(rendered).toBe('');
  return configuration.proxies[0]!.binds[0]!.ssl!.certificates;
};

describe('crt', () => {
  it('reads certificate and key in any order, whatever stands around them', () => {
    const [own] = certificates('crt /a', {
      '/a': `Bag Attributes\n  friendlyName: x\n${KEY}\nsubject=…\n${CERT}`,
    });
    expect(own).toEqual({ file: '/a', cert: CERT, key: KEY, names: ['site.test', '*.site.test'] });
  });

  it('reads the key beside it', () => {
    expect(certificates('crt /a', { '/a': CERT, '/a.key': KEY })[0]!.key).toBe(KEY);
  });

  it('reads the certificates of a folder by name, not what goes with them', () => {
    const names = ['b.crt', 'a.crt', 'a.crt.key', '.hidden', 'a.crt.ocsp', 'b.crt.issuer', 'b.crt.sctl'];
    const files = { '/d/a.crt': CERT, '/d/a.crt.key': KEY, '/d/b.crt': CERTIFICATE };
    expect(certificates('crt /d', files, { '/d': names }).map((c) => c.file)).toEqual([
      '/d/a.crt',
      '/d/b.crt',
    ]);
  });

  it('names a file that is near to the one that is not there', () => {
    expect(refused('crt /d/siet.crt', {}, { '/d/': ['site.crt', 'x'] })).toEqual([
      "no certificate file '/d/siet.crt'; did you mean 'site.crt'?",
    ]);
  });

  it('tells a file that may not be read from one that is not there', () => {
    expect(refused('crt /d/a.crt', {}, { '/d/': ['a.crt'] })).toEqual([
      "the certificate file '/d/a.crt' may not be read; it is there, but not for this user: keys are often for root alone",
    ]);
  });

  it.each([
    ['of PKCS #8', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n'],
    [
      'of older OpenSSL',
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n',
    ],
  ])('refuses encrypted keys %s', (_what, key) => {
    expect(refused('crt /a', { '/a': CERT + key })).toEqual([
      expect.stringMatching(/^the private key in '\/a' is encrypted/),
    ]);
  });

  it('refuses a key that is cut, without showing any of it', () => {
    const cut = KEY.replace(/\n.*\n-----END/, '\n-----END');
    const [message] = refused('crt /a', { '/a': CERT + cut });
    expect(message).toMatch(/^the private key in '\/a' cannot be read/);
    expect(message).not.toContain(KEY.split('\n')[1]);
  });
});

describe('servers', () => {
  const server = (words: string, files: Record<string, string> = {}) =>
    errors(`${DEFAULTS}backend b\n server s 127.0.0.1:443 ${words}\n`, { files });

  it('must be vouched for, or trusted in so many words', () => {
    expect(server('ssl')).toEqual([expect.stringMatching(/no 'ca-file' says by whom/)]);
    expect(server('ssl verify none')).toEqual([]);
    expect(server('ssl ca-file /a', { '/a': CERT })).toEqual([]);
    expect(server('check check-ssl')).toEqual([expect.stringMatching(/no 'ca-file' says by whom/)]);
  });

  it('may be vouched for by the system', () => {
    expect(server('ssl ca-file @system-ca', { '/etc/pki/tls/certs/ca-bundle.crt': CERT })).toEqual([]);
  });

  it('take ssl-server-verify for a word of their own', () => {
    const text = `global\n ssl-server-verify none\n${DEFAULTS}backend b\n server s 127.0.0.1:443 ssl\n`;
    expect(errors(text)).toEqual([]);
  });
});
