/** TLS settings that `bind`, `server` and the `ssl-default-…` lines share. */
import type { Cursor } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import type { SslOptions } from '../settings.ts';
import { VERSIONS } from '../tls/versions.ts';
import { configurationOf, type OptionRow, takeChoice } from './support.ts';

/** `options` finds the TLS options of the draft. */
export function sslOptionRows<Draft>(options: (draft: Draft) => SslOptions): OptionRow<Draft>[] {
  const flag = (keyword: string, doc: string, set: (o: SslOptions) => void): OptionRow<Draft> => ({
    keyword,
    usage: '',
    doc,
    parse: (_words, draft) => set(options(draft)),
  });
  const short = (version: string) => version.toLowerCase().replace('.', '');
  return [
    ...VERSIONS.map((version) =>
      flag(`no-${short(version)}`, `Refuse ${version}`, (o) => {
        o.excluded = [...(o.excluded ?? []), version];
      }),
    ),
    ...VERSIONS.map((version) =>
      flag(`force-${short(version)}`, `Speak ${version} only`, (o) => {
        o.minVersion = version;
        o.maxVersion = version;
      }),
    ),
    {
      keyword: 'ssl-min-ver',
      usage: '<version>',
      doc: 'The oldest protocol version to speak',
      parse: (words, draft) => {
        options(draft).minVersion = takeChoice(words, 'version', VERSIONS);
      },
    },
    {
      keyword: 'ssl-max-ver',
      usage: '<version>',
      doc: 'The newest protocol version to speak',
      parse: (words, draft) => {
        options(draft).maxVersion = takeChoice(words, 'version', VERSIONS);
      },
    },
    flag('no-tls-tickets', 'Resume sessions without tickets', (o) => {
      o.noTickets = true;
    }),
    flag('tls-tickets', 'Resume sessions by tickets', (o) => {
      o.noTickets = false;
    }),
    {
      keyword: 'ciphers',
      usage: '<ciphers>',
      doc: 'Ciphers up to TLS 1.2, as OpenSSL writes them',
      parse: (words, draft) => {
        options(draft).ciphers = words.take('a list of ciphers').text;
      },
    },
    {
      keyword: 'ciphersuites',
      usage: '<suites>',
      doc: 'Cipher suites of TLS 1.3: the runtime has its own',
      support: 'noted',
      parse: (words, draft) => {
        options(draft).ciphersuites = words.take('a list of cipher suites').text;
      },
    },
  ];
}

/** `h2,http/1.1` → its names. */
export function readAlpn(words: Cursor): string[] {
  return words
    .take('a list of protocols')
    .text.split(',')
    .filter((name) => name !== '');
}

/** A file of certificates, under `crt-base` or `ca-base` when the path is relative. */
export function takeFile(words: Cursor, context: ParseContext, base: 'crtBase' | 'caBase'): Word {
  const { text, place } = words.take('a file');
  const folder = configurationOf(context).global[base];
  const isWhole = folder === undefined || text.startsWith('/') || text.startsWith('@');
  return { text: isWhole ? text : `${folder}/${text}`, place };
}
