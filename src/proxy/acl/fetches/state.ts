/** Fetches that need no traffic: constants, the process, and the state of proxies and servers (manual, section 7.3.2). */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ParseContext } from '../../../config/language.ts';
import { didYouMean, type Place } from '../../../errors.ts';
import type { CompileEnv, FetchRow, Sample } from '../../expressions.ts';
import { configurationOf } from '../../keywords/support.ts';
import type { Backend, Frontend, Server } from '../../model.ts';
import type { ProxySettings } from '../../settings.ts';
import type { Transaction } from '../../transaction.ts';
import { formatAddress, parseAddress } from '../address.ts';
import { checkVariable, compileGet } from '../vars.ts';

export const STATE_FETCHES: readonly FetchRow[] = [
  constant('always_true', '', 'bool', 'Always true.', () => true),
  constant('always_false', '', 'bool', 'Always false.', () => false),
  constant(
    'str',
    '(<text>)',
    'str',
    'The text itself.',
    ([text = '']) => text,
    (args) => (args.length <= 1 ? undefined : 'wants one text'),
  ),
  constant('int', '(<number>)', 'int', 'The number itself.', ([text]) => Number(text), integerArgument),
  constant(
    'bool',
    '(<true|false>)',
    'bool',
    'The truth value itself.',
    ([text]) => ['true', 'yes', '1', 'on'].includes(text!.toLowerCase()),
    ([text]) =>
      /^(true|false|yes|no|on|off|0|1)$/i.test(text ?? '')
        ? undefined
        : `'${text ?? ''}' is neither true nor false`,
  ),
  constant(
    'bin',
    '(<hex>)',
    'bin',
    'The bytes written in hexadecimal.',
    ([text]) => Buffer.from(text!, 'hex').toString('latin1'),
    ([text]) =>
      /^([0-9a-fA-F]{2})+$/.test(text ?? '') ? undefined : 'wants an even number of hexadecimal digits',
  ),
  constant('ipv4', '(<address>)', 'ip', 'The IPv4 address itself.', ([text]) => text, addressArgument(4)),
  constant(
    'ipv6',
    '(<address>)',
    'ip',
    'The IPv6 address itself.',
    ([text]) => formatAddress(parseAddress(text!)!),
    addressArgument(6),
  ),
  constant('meth', '(<method>)', 'meth', 'The method itself.', ([text]) => text, wantsOne),
  constant('hostname', '', 'str', 'The host name of this machine.', () => hostname()),
  {
    keyword: 'env',
    usage: '(<name>)',
    doc: 'An environment variable, as it is where the configuration names it.',
    type: 'str',
    phase: 'config',
    check: wantsOne,
    prepare: ([name], context) => context.environment.get(name!),
    compile: (_args, _env, value) => () => value as string | undefined,
  },
  constant('nbproc', '', 'int', 'Number of processes: 1.', () => 1),
  constant('proc', '', 'int', 'Number of this process: 1.', () => 1),
  constant('thread', '', 'int', 'Number of the thread: 0.', () => 0),
  {
    keyword: 'date',
    usage: '([<offset>[,<unit>]])',
    doc: 'The date in seconds since 1970 (unit s, ms or us), with an offset in seconds.',
    type: 'int',
    phase: 'config',
    check: ([offset = '0', unit = 's']) =>
      !/^-?\d+$/.test(offset)
        ? `'${offset}' is not an offset in seconds`
        : ['s', 'ms', 'us'].includes(unit)
          ? undefined
          : `'${unit}' is not a unit of date (s, ms, us)`,
    compile: ([offset = '0', unit = 's']) => {
      const scale = unit === 's' ? 1 / 1000 : unit === 'ms' ? 1 : 1000;
      const shift = Number(offset) * 1000;
      return () => Math.trunc((Date.now() + shift) * scale);
    },
  },
  {
    keyword: 'date_us',
    usage: '',
    doc: 'The microseconds part of the date.',
    type: 'int',
    phase: 'config',
    compile: () => () => (Date.now() % 1000) * 1000,
  },
  {
    keyword: 'rand',
    usage: '([<range>])',
    doc: 'A random number below the range, 2^32 when not given.',
    type: 'int',
    phase: 'config',
    check: ([range = '1']) => (/^[1-9]\d*$/.test(range) ? undefined : `'${range}' is not a range`),
    compile: ([range]) => {
      const limit = range === undefined ? 2 ** 32 : Number(range);
      return () => Math.floor(Math.random() * limit);
    },
  },
  {
    keyword: 'uuid',
    usage: '([<version>])',
    doc: 'A random UUID of version 4.',
    type: 'str',
    phase: 'config',
    check: ([version = '4']) => (version === '4' ? undefined : 'only version 4 is there'),
    compile: () => randomUuid,
  },
  {
    keyword: 'var',
    usage: '(<name>[,<default>])',
    doc: 'A variable set by set-var: proc.x, sess.x, txn.x, req.x, res.x.',
    type: 'str',
    phase: 'config',
    check: ([name = '']) => checkVariable(name),
    compile: ([name, fallback]) => {
      const get = compileGet(name!);
      return fallback === undefined ? get : (tx) => get(tx) ?? fallback;
    },
  },
  ofBackend('nbsrv', 'Number of usable servers of a backend.', usableCount),
  ofBackend('be_conn', 'Number of sessions of a backend now.', (b) => b.counters.scur),
  ofBackend('be_conn_free', 'Sessions that the servers of a backend still take.', freeConnections),
  ofBackend('be_sess_rate', 'New sessions a second of a backend.', (b) => b.counters.rate.read(Date.now())),
  ofBackend('connslots', 'Sessions and places in queues that a backend still has.', connectionSlots),
  ofBackend('queue', 'Requests that wait in the queues of a backend.', queued),
  ofBackend(
    'avg_queue',
    'Waiting requests a usable server; twice the queue when there is none.',
    averageQueue,
  ),
  ofFrontend('fe_conn', 'Number of sessions of a frontend now.', (f) => f.counters.scur),
  ofFrontend('fe_sess_rate', 'New sessions a second of a frontend.', (f) => f.counters.rate.read(Date.now())),
  ofFrontend('fe_req_rate', 'Requests a second of a frontend.', (f) =>
    f.counters.requestRate.read(Date.now()),
  ),
  ofServer('srv_is_up', 'bool', 'Whether a server is up.', (s) => !s.isDown),
  ofServer('srv_conn', 'int', 'Number of sessions of a server now.', (s) => s.counters.scur),
  ofServer('srv_conn_free', 'int', 'Sessions that a server still takes, -1 without a limit.', (s) =>
    s.maxconn === undefined ? -1 : Math.max(0, s.maxconn - s.counters.scur),
  ),
  ofServer('srv_queue', 'int', 'Requests that wait in the queue of a server.', (s) => s.counters.qcur),
  ofServer('srv_sess_rate', 'int', 'New sessions a second of a server.', (s) =>
    s.counters.rate.read(Date.now()),
  ),
  ofServer('srv_weight', 'int', 'The weight of a server now.', (s) => s.weight),
  ofServer('srv_uweight', 'int', 'The weight of a server now.', (s) => s.weight),
  ofServer('srv_iweight', 'int', 'The configured weight of a server.', (s) => s.settings.weight),
  here('fe_name', 'str', 'Name of the frontend.', 'connection', (tx) => tx.frontend.name),
  here('fe_id', 'int', 'Number of the frontend.', 'connection', (tx) => tx.frontend.settings.id),
  here(
    'fe_defbe',
    'str',
    "Name of the frontend's default backend.",
    'connection',
    (tx) => tx.frontend.settings.defaultBackend,
  ),
  here(
    'fe_client_timeout',
    'int',
    'Client timeout of the frontend, milliseconds.',
    'connection',
    (tx) => tx.frontend.settings.timeouts.client,
  ),
  here('be_name', 'str', 'Name of the backend.', 'transaction', (tx) => backSide(tx).name),
  here('be_id', 'int', 'Number of the backend.', 'transaction', (tx) => backSide(tx).settings.id),
  here(
    'be_server_timeout',
    'int',
    'Server timeout of the backend, milliseconds.',
    'transaction',
    (tx) => backSide(tx).settings.timeouts.server,
  ),
  here(
    'be_tunnel_timeout',
    'int',
    'Tunnel timeout of the backend, milliseconds.',
    'transaction',
    (tx) => tx.backend?.settings.timeouts.tunnel,
  ),
  here('srv_name', 'str', 'Name of the server.', 'outcome', (tx) => tx.server?.name),
  here('srv_id', 'int', 'Number of the server.', 'outcome', (tx) => tx.server?.settings.id),
  here('so_id', 'int', 'Number of the listener.', 'connection', (tx) => tx.client.listener.id),
  here('so_name', 'str', 'Name of the listener.', 'connection', (tx) => tx.client.listener.name),
];

// ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Check = NonNullable<FetchRow['check']>;

function constant(
  keyword: string,
  usage: string,
  type: FetchRow['type'],
  doc: string,
  make: (args: readonly string[]) => Sample,
  check?: Check,
): FetchRow {
  const compile: FetchRow['compile'] = (args) => {
    const value = make(args);
    return () => value;
  };
  return { keyword, usage, doc, type, phase: 'config', check: check ?? wantsNone, compile };
}

function here(
  keyword: string,
  type: FetchRow['type'],
  doc: string,
  phase: FetchRow['phase'],
  read: (tx: Transaction) => Sample,
): FetchRow {
  return { keyword, usage: '', doc, type, phase, check: wantsNone, compile: () => read };
}

function ofBackend(keyword: string, doc: string, read: (backend: Backend) => number): FetchRow {
  const compile: FetchRow['compile'] = ([name], env) => {
    const find = finder(env, (proxy) => proxy.backends.find((b) => b.name === name));
    if (name === undefined) return (tx) => (tx.backend === undefined ? 0 : read(tx.backend));
    return () => {
      const backend = find();
      return backend && read(backend);
    };
  };
  return {
    keyword,
    usage: '([<backend>])',
    doc,
    type: 'int',
    phase: 'config',
    check: knownProxy('backend'),
    compile,
  };
}

function ofFrontend(keyword: string, doc: string, read: (frontend: Frontend) => number): FetchRow {
  const compile: FetchRow['compile'] = ([name], env) => {
    const find = finder(env, (proxy) => proxy.frontends.find((f) => f.name === name));
    if (name === undefined) return (tx) => read(tx.frontend);
    return () => {
      const frontend = find();
      return frontend && read(frontend);
    };
  };
  return {
    keyword,
    usage: '([<frontend>])',
    doc,
    type: 'int',
    phase: 'config',
    check: knownProxy('frontend'),
    compile,
  };
}

function ofServer(
  keyword: string,
  type: FetchRow['type'],
  doc: string,
  read: (server: Server) => Sample,
): FetchRow {
  const compile: FetchRow['compile'] = ([path = ''], env) => {
    const slash = path.indexOf('/');
    const backendName = slash < 0 ? env.proxy.name : path.slice(0, slash);
    const name = path.slice(slash + 1);
    const find = finder(env, (proxy) =>
      proxy.backends.find((b) => b.name === backendName)?.servers.find((s) => s.name === name),
    );
    return () => {
      const server = find();
      return server && read(server);
    };
  };
  return {
    keyword,
    usage: '([<backend>/]<server>)',
    doc,
    type,
    phase: 'config',
    check: knownServer,
    compile,
  };
}

/** Looks a running object up when it is first needed, and keeps it. */
function finder<T>(
  env: CompileEnv,
  find: (proxy: ReturnType<CompileEnv['running']>) => T | undefined,
): () => T | undefined {
  let found: T | undefined;
  return () => (found ??= find(env.running()));
}

// ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────

function usableCount(backend: Backend): number {
  const { servers } = backend;
  let count = 0;
  for (const server of servers) if (server.usable && !server.settings.backup) count++;
  return count > 0 ? count : backend.usable.length;
}

function queued(backend: Backend): number {
  let count = backend.counters.qcur;
  for (const server of backend.servers) count += server.counters.qcur;
  return count;
}

function averageQueue(backend: Backend): number {
  const usable = usableCount(backend);
  const waiting = queued(backend);
  return usable === 0 ? 2 * waiting : Math.floor((waiting + usable - 1) / usable);
}

/** −1 when a server has no limit. */
function freeConnections(backend: Backend): number {
  let free = 0;
  for (const server of backend.servers) {
    if (!server.usable) continue;
    if (server.maxconn === undefined) return -1;
    free += Math.max(0, server.maxconn - server.counters.scur);
  }
  return free;
}

function connectionSlots(backend: Backend): number {
  let slots = 0;
  for (const server of backend.servers) {
    if (!server.usable) continue;
    const { maxqueue } = server.settings;
    if (server.maxconn === undefined || maxqueue === undefined) return -1;
    slots += server.maxconn - server.counters.scur + maxqueue - server.counters.qcur;
  }
  return slots;
}

function randomUuid(): string {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────

function wantsNone(args: readonly string[]): string | undefined {
  return args.length === 0 ? undefined : 'takes no arguments';
}

function wantsOne(args: readonly string[]): string | undefined {
  return args.length === 1 ? undefined : 'wants one argument';
}

function integerArgument(args: readonly string[]): string | undefined {
  return wantsOne(args) ?? (/^[+-]?\d+$/.test(args[0]!) ? undefined : `'${args[0]}' is not a whole number`);
}

function addressArgument(family: 4 | 6): Check {
  return ([text = '']) =>
    parseAddress(text)?.family === family ? undefined : `'${text}' is not an IPv${family} address`;
}

/** Sections may come later in the file, so names are looked up once everything was read. */
function knownProxy(kind: 'frontend' | 'backend'): Check {
  return ([name, more], context, place) => {
    if (more !== undefined) return `wants at most one ${kind}`;
    if (name === undefined) return undefined;
    context.later(() => {
      const names = proxiesOf(context, kind).map((proxy) => proxy.name);
      if (!names.includes(name))
        context.report('error', `there is no ${kind} '${name}'`, place, didYouMean(name, names));
    });
    return undefined;
  };
}

function knownServer(args: readonly string[], context: ParseContext, place: Place): string | undefined {
  const [path = ''] = args;
  if (args.length !== 1 || path === '') return 'wants a server: <backend>/<server>';
  const slash = path.indexOf('/');
  if (slash < 0) return undefined;
  context.later(() => {
    const backend = proxiesOf(context, 'backend').find((proxy) => proxy.name === path.slice(0, slash));
    const names = backend?.servers.map((server) => server.name) ?? [];
    if (!names.includes(path.slice(slash + 1)))
      context.report(
        'error',
        `there is no server '${path}'`,
        place,
        didYouMean(path.slice(slash + 1), names),
      );
  });
  return undefined;
}

function proxiesOf(context: ParseContext, kind: 'frontend' | 'backend'): ProxySettings[] {
  return configurationOf(context).proxies.filter((proxy) => proxy.kind === kind || proxy.kind === 'listen');
}

/** Until a backend is chosen, the frontend stands for it, as in HAProxy. */
function backSide(tx: Transaction): Backend | Frontend {
  return tx.backend ?? tx.frontend;
}
