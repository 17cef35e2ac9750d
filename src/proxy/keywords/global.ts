/** The `global` section (manual, section 3). */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { KeywordRow, SectionRow } from '../../config/language.ts';
import type { GlobalSettings, SslOptions } from '../settings.ts';
import { readStatsSocket } from './bind.ts';
import { ENVIRONMENT } from './environment.ts';
import { LOG_USAGE, readLogTarget } from './log.ts';
import { sslOptionRows } from './ssl.ts';
import { configurationOf, type OptionRow, readOptions, takeChoice } from './support.ts';
import { takeTimeout } from './timeouts.ts';

type Row = KeywordRow<GlobalSettings>;
type Keys<T> = {
  [K in keyof GlobalSettings]-?: NonNullable<GlobalSettings[K]> extends T ? K : never;
}[keyof GlobalSettings];

function text(keyword: string, key: Keys<string>, usage: string, doc: string): Row {
  return {
    keyword,
    usage,
    doc,
    parse: (words, global) => {
      global[key] = words.take(usage.slice(1, -1)).text;
      words.end();
    },
  };
}

function flag(keyword: string, key: Keys<boolean>, doc: string): Row {
  return {
    keyword,
    usage: '',
    doc,
    parse: (words, global) => {
      words.end();
      global[key] = true;
    },
  };
}

function tune(keyword: string, key: keyof GlobalSettings['tune'], usage: string, doc: string): Row {
  return {
    keyword,
    usage,
    doc,
    parse: (words, global) => {
      global.tune[key] =
        usage === '<size>' ? words.size('a size') : words.integer('a number', -1, 2 ** 31 - 1);
      words.end();
    },
  };
}

/** `ssl-default-<side>-…`: what TLS lines without words of their own do. */
function sslDefaults(side: 'bind' | 'server', key: 'sslDefaultBind' | 'sslDefaultServer'): Row[] {
  const options = sslOptionRows<SslOptions>((draft) => draft);
  const others: OptionRow<SslOptions>[] = ['prefer-client-ciphers', 'strict-sni', 'ssl-reuse'].map(
    (keyword) => ({
      keyword,
      usage: '',
      doc: '',
      parse: () => undefined,
    }),
  );
  const one = (name: 'ciphers' | 'ciphersuites'): Row => ({
    keyword: `ssl-default-${side}-${name}`,
    usage: `<${name}>`,
    doc: `The ${name} of '${side}' lines that name none`,
    // The runtime does not let the suites of TLS 1.3 be chosen.
    ...(name === 'ciphersuites' && { support: 'noted' as const }),
    parse: (words, global) => {
      global[key][name] = words.take(`a list of ${name}`).text;
      words.end();
    },
  });
  return [
    one('ciphers'),
    one('ciphersuites'),
    {
      keyword: `ssl-default-${side}-options`,
      usage: '<option>…',
      doc: `TLS options of all '${side}' lines`,
      parse: (words, global, context) => {
        words.peek() ?? words.take('an option');
        readOptions(words, [...options, ...others], [], global[key], context, words.keyword);
      },
    },
    idle(`ssl-default-${side}-curves`, '<curves>', 'Curves of the key exchange'),
    idle(`ssl-default-${side}-sigalgs`, '<algorithms>', 'Signature algorithms'),
    idle(`ssl-default-${side}-client-sigalgs`, '<algorithms>', 'Signature algorithms of clients'),
  ];
}

/** Read and not acted on. Words are counted unless `usage` ends in `…`; those in brackets may be missing. */
function idle(keyword: string, usage: string, doc: string): Row {
  const names = usage === '' ? [] : usage.split(' ');
  const parse = (words: Cursor) => {
    for (const name of names) {
      if (name.endsWith('…')) {
        words.rest();
        return;
      }
      if (name.startsWith('[') && words.peek() === undefined) return;
      words.take(name);
    }
    words.end();
  };
  return { keyword, usage, doc, support: 'noted', parse };
}

/** Like `idle`, and `no` may stand before it. */
function idleSwitch(keyword: string, doc: string): Row {
  const row = idle(keyword, '[on|off]', doc);
  return { ...row, without: row.parse };
}

const KEYWORDS: readonly Row[] = [
  text('ca-base', 'caBase', '<folder>', 'Where authorities with a relative path are'),
  text('crt-base', 'crtBase', '<folder>', 'Where certificates with a relative path are'),
  flag('daemon', 'daemon', 'Go to the background'),
  text('description', 'description', '<text>', 'What the instance is for'),
  {
    keyword: 'hard-stop-after',
    usage: '<time>',
    doc: 'Longest time to wait for connections when stopping',
    parse: (words, global) => {
      global.hardStopAfter = takeTimeout(words);
    },
  },
  {
    keyword: 'log',
    usage: LOG_USAGE,
    doc: 'Where to log',
    parse: (words, global) => {
      global.logs.push(readLogTarget(words));
    },
    without: (words, global) => {
      words.end();
      global.logs = [];
    },
  },
  {
    keyword: 'log-send-hostname',
    usage: '[<name>]',
    doc: 'Put a host name into syslog headers',
    parse: (words, global) => {
      global.logSendHostname = words.peek() === undefined ? '' : words.take('a name').text;
      words.end();
    },
  },
  text('log-tag', 'logTag', '<text>', 'Name of the program in log lines'),
  {
    keyword: 'maxconn',
    usage: '<number>',
    doc: 'Most connections at a time',
    parse: (words, global) => {
      global.maxconn = words.integer('a number', 0, 2 ** 31 - 1);
      words.end();
    },
  },
  {
    keyword: 'node',
    usage: '<name>',
    doc: 'Name of the machine on the statistics page',
    parse: (words, global) => {
      const word = words.take('a name');
      if (!/^[A-Za-z0-9_.-]+$/.test(word.text)) {
        throw new WordError(
          `'${word.text}' is not a name for a node`,
          word.place,
          'letters, digits, -, _ and . can be in it',
        );
      }
      global.node = word.text;
      words.end();
    },
  },
  text('pidfile', 'pidfile', '<file>', 'Where to write the process id'),
  flag('quiet', 'quiet', 'Say nothing at start'),
  {
    keyword: 'spread-checks',
    usage: '<percent>',
    doc: 'Spread of checks, in percent of their interval',
    parse: (words, global) => {
      global.spreadChecks = words.integer('a percentage', 0, 50);
      words.end();
    },
  },
  {
    keyword: 'stats socket',
    usage: '<path>|<address>:<port> [<option>…]',
    doc: 'Where commands are taken at run time',
    parse: (words, global, context) => {
      global.statsSockets.push(readStatsSocket(words, context));
    },
  },
  {
    keyword: 'stats timeout',
    usage: '<time>',
    doc: 'Longest silence on such a socket',
    parse: (words, global) => {
      global.statsTimeout = takeTimeout(words);
    },
  },
  tune('tune.bufsize', 'bufsize', '<size>', 'Bytes of a message that are looked at, and the longest head'),
  tune('tune.maxrewrite', 'maxrewrite', '<size>', 'Bytes of a buffer kept free for added headers'),
  tune('tune.http.maxhdr', 'httpMaxhdr', '<number>', 'Most header fields of a message'),
  idle('tune.maxaccept', '<number>', 'Connections accepted at a time'),
  ...sslDefaults('bind', 'sslDefaultBind'),
  ...sslDefaults('server', 'sslDefaultServer'),
  ...ENVIRONMENT,
  {
    keyword: 'ssl-server-verify',
    usage: 'none|required',
    doc: 'Whether certificates of servers must be good',
    parse: (words, global) => {
      global.sslDefaultServer.verify = takeChoice(words, 'way to verify', ['none', 'required']);
      words.end();
    },
  },
  {
    keyword: 'default-path',
    usage: 'current|config|parent|origin <path>',
    doc: 'What relative paths are relative to',
    support: 'noted',
    parse: (words) => {
      if (takeChoice(words, 'way', ['current', 'config', 'parent', 'origin']) === 'origin')
        words.take('a path');
      words.end();
    },
  },
  {
    keyword: 'nbproc',
    usage: '<number>',
    doc: 'HAProxy up to 2.4: how many processes',
    parse: (words, _global, context) => {
      words.integer('a number', 1);
      words.end();
      const place = words.words[0]!.place;
      context.report(
        'warning',
        "'nbproc' went away with HAProxy 2.5",
        place,
        "today: leave the line out, or 'nbthread'",
      );
      configurationOf(context).noted.push({ keyword: 'nbproc', place });
    },
  },
  idle('chroot', '<folder>', 'The engine stays where it is'),
  idle('user', '<user>', 'The engine keeps the user that started it'),
  idle('group', '<group>', 'The engine keeps the group that started it'),
  idle('uid', '<uid>', 'The engine keeps the user that started it'),
  idle('gid', '<gid>', 'The engine keeps the group that started it'),
  idle('nbthread', '<number>', 'How many threads'),
  idle('thread-groups', '<number>', 'Groups of threads'),
  idle('thread-group', '<group> <threads>…', 'Threads of a group'),
  idle('thread-hard-limit', '<number>', 'Most threads'),
  idle('cpu-map', '<threads> <cpus>…', 'Which processors threads run on'),
  idle('cpu-policy', '<policy>', 'Which processors to use'),
  idle('cpu-set', '<set>…', 'Which processors to use'),
  idle('master-worker', '[no-exit-on-failure]', 'A master that watches the worker'),
  idle('mworker-max-reloads', '<number>', 'Reloads before an old worker is stopped'),
  idle('localpeer', '<name>', 'Name among peers'),
  idle('debug', '', 'Show traffic'),
  idle('zero-warning', '', 'Refuse to start with warnings'),
  idle('external-check', '[preserve-env]', 'Allow checks by programs'),
  idle('insecure-fork-wanted', '', 'Allow new processes'),
  idle('insecure-setuid-wanted', '', 'Allow programs that change the user'),
  idle('grace', '<time>', 'How long to go on when stopping'),
  idle('unix-bind', '<option>…', 'Owner and mode of unix sockets'),
  idle('h1-case-adjust', '<from> <to>', 'Case of a header name'),
  idle('h1-case-adjust-file', '<file>', 'Cases of header names'),
  idle('h1-accept-payload-with-any-method', '', 'Bodies with any method'),
  idle('h2-workaround-bogus-websocket-clients', '', 'WebSockets over HTTP/2'),
  idle('pp2-never-send-local', '', 'The PROXY protocol in checks'),
  idle('set-dumpable', '[on|off]', 'Core files'),
  idle('server-state-base', '<folder>', 'Where states of servers are'),
  idle('server-state-file', '<file>', 'Where states of servers are'),
  idle('stats bind-process', '…', 'Which process answers'),
  idle('stats maxconn', '<number>', 'Most sessions on runtime sockets'),
  idle('ulimit-n', '<number>', 'Most open files'),
  idle('fd-hard-limit', '<number>', 'Most open files'),
  idle('maxconnrate', '<number>', 'Most new connections in a second'),
  idle('maxsessrate', '<number>', 'Most new sessions in a second'),
  idle('maxsslconn', '<number>', 'Most TLS connections'),
  idle('maxsslrate', '<number>', 'Most new TLS sessions in a second'),
  idle('maxcomprate', '<number>', 'Most bytes to compress in a second'),
  idle('maxcompcpuusage', '<number>', 'Load above which nothing is compressed'),
  idle('maxpipes', '<number>', 'Most pipes'),
  idle('maxzlibmem', '<number>', 'Most memory for compression'),
  idle('max-spread-checks', '<time>', 'Widest spread of checks'),
  idle('noepoll', '', 'Do without epoll'),
  idle('noevports', '', 'Do without event ports'),
  idle('nogetaddrinfo', '', 'Do without getaddrinfo'),
  idle('nokqueue', '', 'Do without kqueue'),
  idle('no-memory-trimming', '', 'Keep freed memory'),
  idle('nopoll', '', 'Do without poll'),
  idle('noreuseport', '', 'Do without SO_REUSEPORT'),
  idle('nosplice', '', 'Do without splice'),
  idle('no-quic', '', 'Do without QUIC'),
  idle('prealloc-fd', '', 'Reserve open files'),
  idle('profiling.tasks', 'on|off|auto', 'Measure tasks'),
  idle('profiling.memory', 'on|off', 'Measure memory'),
  idle('shm-stats-file', '<file>', 'Share statistics'),
  idle('ssl-dh-param-file', '<file>', 'Parameters of the key exchange'),
  idle('ssl-engine', '<name> …', 'Hardware for TLS'),
  idle('ssl-load-extra-files', '<type>…', 'Files beside certificates'),
  idle('ssl-load-extra-del-ext', '', 'Names of files beside certificates'),
  idle('ssl-mode-async', '', 'TLS beside other work'),
  idle('ssl-propquery', '<query>', 'Providers of OpenSSL'),
  idle('ssl-provider', '<name>', 'Providers of OpenSSL'),
  idle('ssl-provider-path', '<folder>', 'Providers of OpenSSL'),
  idle('ssl-security-level', '<level>', 'Security level of OpenSSL'),
  idle('ssl-skip-self-issued-ca', '', 'Leave self-issued authorities out'),
  idle('issuers-chain-path', '<folder>', 'Chains of certificates'),
  idle('httpclient.resolvers.disabled', 'on|off', 'Names in requests of its own'),
  idle('httpclient.resolvers.id', '<section>', 'Names in requests of its own'),
  idle('httpclient.resolvers.prefer', '<family>', 'Addresses in requests of its own'),
  idle('httpclient.retries', '<number>', 'Requests of its own'),
  idle('httpclient.timeout.connect', '<time>', 'Requests of its own'),
  idle('httpclient.ssl.ca-file', '<file>', 'Authorities for requests of its own'),
  idle('httpclient.ssl.verify', '<how>', 'Certificates in requests of its own'),
  idle('cluster-secret', '<secret>', 'Secret of a cluster'),
  idle('expose-deprecated-directives', '', 'Allow what will go away'),
  idle('expose-experimental-directives', '', 'Allow what is being tried'),
  idle('harden.reject-privileged-ports.tcp', 'on|off', 'Low ports of clients'),
  idle('harden.reject-privileged-ports.quic', 'on|off', 'Low ports of clients'),
  idle('dns-accept-family', '<families>', 'Families of addresses'),
  idle('key-base', '<folder>', 'Where keys are'),
  idle('limited-quic', '', 'QUIC'),
  idle('force-cfg-parser-pause', '<time>', 'Wait after reading'),
  ...['busy-polling', 'numa-cpu-mapping', 'strict-limits'].map((k) => idleSwitch(k, 'How the process runs')),
  ...'anon-key applet.zero-copy-forwarding buffers.limit buffers.reserve bufsize.small comp.maxlevel cli.max-payload-size disable-fast-forward disable-zero-copy-forwarding epoll.mask-events events.max-events-at-once fail-alloc fd.edge-triggered glitches.kill.cpu-usage h1.zero-copy-fwd-recv h1.zero-copy-fwd-send h1.be.glitches-threshold h1.fe.glitches-threshold h2.be.glitches-threshold h2.be.initial-window-size h2.be.max-concurrent-streams h2.be.rxbuf h2.fe.glitches-threshold h2.fe.initial-window-size h2.fe.max-concurrent-streams h2.fe.max-total-streams h2.fe.rxbuf h2.header-table-size h2.initial-window-size h2.log-errors h2.max-concurrent-streams h2.max-frame-size h2.zero-copy-fwd-send http.cookielen http.logurilen idle-pool.shared idletimer listener.default-shards listener.multi-queue listener.maxaccept lua.bool-sample-conversion lua.burst-timeout lua.forced-yield lua.log.loggers lua.log.stderr lua.maxmem lua.service-timeout lua.session-timeout lua.task-timeout max-checks-per-thread max-rules-at-once maxpollevents memory.hot-size notsent-lowat.client notsent-lowat.server pattern.cache-size peers.max-updates-at-once pipesize pool-high-fd-ratio pool-low-fd-ratio pt.zero-copy-forwarding quic.frontend.conn-tx-buffers.limit quic.frontend.max-idle-timeout quic.frontend.max-streams-bidi quic.max-frame-loss quic.retry-threshold quic.socket-owner rcvbuf.backend rcvbuf.client rcvbuf.frontend rcvbuf.server recv_enough renice.runtime renice.startup ring.queues runqueue-depth sched.low-latency sndbuf.backend sndbuf.client sndbuf.frontend sndbuf.server ssl.cachesize ssl.capture-buffer-size ssl.capture-cipherlist-size ssl.certificate-compression ssl.default-dh-param ssl.force-private-cache ssl.hard-maxrecord ssl.keylog ssl.lifetime ssl.maxrecord ssl.ocsp-update.maxdelay ssl.ocsp-update.mindelay ssl.ssl-ctx-cache-size stick-counters takeover-other-tg-connections vars.global-max-size vars.proc-max-size vars.reqres-max-size vars.sess-max-size vars.txn-max-size zlib.memlevel zlib.windowsize'
    .split(' ')
    .map((name) =>
      // Two of these are switches without a value.
      idle(
        `tune.${name}`,
        name.startsWith('disable-') || name.endsWith('private-cache') ? '' : '<value>…',
        'Inner working of HAProxy',
      ),
    ),
];

export const GLOBAL: SectionRow<GlobalSettings> = {
  keyword: 'global',
  usage: '',
  doc: 'The process as a whole',
  open: (words, context) => {
    words.end();
    return configurationOf(context).global;
  },
  keywords: KEYWORDS,
};

export function newGlobal(): GlobalSettings {
  return {
    logs: [],
    logTag: 'haproxy',
    statsSockets: [],
    statsTimeout: 10_000,
    daemon: false,
    quiet: false,
    spreadChecks: 0,
    sslDefaultBind: {},
    sslDefaultServer: {},
    tune: { bufsize: 16384, maxrewrite: 1024, httpMaxhdr: 101 },
  };
}
