/** What HAProxy 2.6 to 3.x has and this engine does not have yet: refused by name, instead of called unknown. */
import type { UnsupportedRow } from '../../config/language.ts';

const SECTIONS =
  'acme backend-template cache crt-store dynamic-update fcgi-app healthcheck http-errors log-forward log-profile mailers peers program ring spoe-agent traces';

const PROXY = [
  'compression minsize-req',
  'compression algo-req',
  'compression type-req',
  'declare capture',
  'dispatch',
  'email-alert',
  'errorfiles',
  'external-check',
  'filter',
  'force-be-switch',
  'force-persist',
  'guid',
  'hash-balance-factor',
  'hash-preserve-affinity',
  'http-check connect',
  'http-check set-var',
  'http-check unset-var',
  'http-error',
  'http-send-name-header',
  'ignore-persist',
  'log-steps',
  'option external-check',
  'option h2-upgrade',
  'option http-drop-request-trailers',
  'option http-drop-response-trailers',
  'option http-restrict-req-hdr-names',
  'option ldap-check',
  'option mysql-check',
  'option pgsql-check',
  'option redis-check',
  'option smtpchk',
  'option spop-check',
  'option transparent',
  'option use-small-buffers',
  'persist rdp-cookie',
  'quic-initial',
  'rate-limit sessions',
  'server-template',
  'stick match',
  'stick on',
  'stick store-request',
  'stick store-response',
  'stick-table',
  'tcp-check send-binary-lf',
  'tcp-check send-lf',
  'tcp-check set-var',
  'tcp-check unset-var',
  'timeout client-hs',
  'transparent',
  'use-fcgi-app',
  'use-small-buffers',
];

const GLOBAL = [
  '51degrees-cache-size',
  '51degrees-data-file',
  '51degrees-property-name-list',
  '51degrees-property-separator',
  'acme.scheduler',
  'deviceatlas-json-file',
  'deviceatlas-log-level',
  'deviceatlas-properties-cookie',
  'deviceatlas-separator',
  'lua-load',
  'lua-load-per-thread',
  'lua-prepend-path',
  'ocsp-update.disable',
  'ocsp-update.httpproxy',
  'ocsp-update.mode',
  'setcap',
  'set-var',
  'set-var-fmt',
  'stats-file',
  'trace',
  'wurfl-cache-size',
  'wurfl-data-file',
  'wurfl-information-list',
  'wurfl-information-list-separator',
];

const RESOLVERS = ['dns-options'];

const inSection = (section: string, keywords: readonly string[]): UnsupportedRow[] =>
  keywords.map((keyword) => ({ keyword, section }));

export const UNSUPPORTED: readonly UnsupportedRow[] = [
  ...inSection('', SECTIONS.split(' ')),
  ...['defaults', 'frontend', 'backend', 'listen'].flatMap((section) => inSection(section, PROXY)),
  ...inSection('global', GLOBAL),
  ...inSection('resolvers', RESOLVERS),
];
