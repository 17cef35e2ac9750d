import { modeOf, type Section, sectionsOf } from '../render/config-sections.ts';
import { LOOPBACK, type SideConfig } from './side-balancer.ts';

/** What is different in the twin, beside its ports. */
export interface Changes {
  /** How every backend chooses its server. */
  readonly balance?: string;
  /** Rules of every frontend, before its own. */
  readonly rules?: readonly string[];
  /** Values of `timeout` by name, in the place of its own: `{'http-request': '1s'}`. */
  readonly timeouts?: Readonly<Record<string, string>>;
  /** Sections at the end. */
  readonly sections?: string;
}

/** A server of the configuration, named as HAProxy names it: `site1/web1`. */
export type ServerName = string;

export interface TwinConfig extends SideConfig {
  readonly servers: readonly ServerName[];
  /** Addresses that the configuration listens on, in its order: the names of their ports. */
  readonly binds: readonly Bind[];
}

export interface Bind {
  /** Its name among `ports`. */
  readonly name: string;
  /** As the configuration has it: `*:80`. */
  readonly address: string;
  readonly section: string;
  readonly tls: boolean;
}

/** What a request asks of the stand-in that it reaches: a header field of this name. */
export const ASK = 'X-Lablb-Test';

/**
 * A configuration that is there, made into one for a test on loopback: the same rules; ports of its own; before each
 * server a stand-in that hands requests on to it, unless they ask for something else (`ASK`): `hold` keeps them,
 * `drop` closes the connection, `echo` answers with what the server would have seen. Health checks, logs and all that
 * concerns the process (user, sockets, chroot) are left out.
 */
export function twinConfig(source: string, changes: Changes = {}): TwinConfig {
  const sections = sectionsOf(source);
  const binds: Bind[] = [];
  const standIns: StandIn[] = [];
  const fallback = sections.find(({ kind, words }) => kind === 'defaults' && words[1] === undefined);
  const parts = sections.flatMap((section) => {
    if (LEFT_OUT.has(section.kind)) return [];
    const mode = modeOf(section) ?? (fallback && modeOf(fallback)) ?? 'tcp';
    const lines = section.lines.flatMap((line): Line[] => {
      const [keyword, first, address, ...rest] = line.words;
      if (dropped(section.kind, line.words, changes)) return [];
      if (keyword === 'bind') {
        const bind = {
          name: `bind ${binds.length}`,
          address: first!,
          section: section.name,
          tls: line.words.includes('ssl'),
        };
        binds.push(bind);
        return [(port) => ['bind', `${LOOPBACK}:${port(bind.name)}`, ...line.words.slice(2)].join(' ')];
      }
      if (keyword === 'server') {
        const standIn = {
          name: `${section.name}/${first}`,
          mode,
          to: [address!, ...parameters(rest, REACHING)],
        };
        standIns.push(standIn);
        const kept = parameters(rest, CHOOSING);
        return [(port) => ['server', first, `${LOOPBACK}:${port(standIn.name)}`, ...kept].join(' ')];
      }
      return [() => line.text];
    });
    return [[() => section.text, ...added(section, mode, changes), ...lines]];
  });
  return {
    servers: standIns.map(({ name }) => name),
    binds,
    ports: [...binds, ...standIns].map(({ name }) => name),
    reply: standIns.map(({ name }) => `${name}=%[srv_conn(${name})]`).join(' '),
    text: (port) =>
      [
        ...parts.map(([head, ...lines]) =>
          [head!(port), ...lines.map((line) => `    ${line(port)}`)].join('\n'),
        ),
        changes.sections ?? '',
        STAND_INS,
        ...standIns.map((standIn, i) => standInSection(standIn, i, port)),
      ].join('\n\n'),
  };
}

type Line = (port: (name: string) => number) => string;

interface StandIn {
  readonly name: ServerName;
  readonly mode: string;
  /** Address and what it takes to reach it. */
  readonly to: readonly string[];
}

/** Sections that would reach out of the test. */
const LEFT_OUT = new Set(['peers', 'program', 'mailers', 'ring', 'log-forward']);
/** What concerns the process, not its traffic. */
const OF_THE_PROCESS = new Set(
  'chroot user group uid gid daemon pidfile log log-tag log-send-hostname stats master-worker nbproc nbthread cpu-map setcap'.split(
    ' ',
  ),
);
/** Parameters of a server that decide whether it is chosen, with their number of words; kept. */
const CHOOSING: Readonly<Record<string, number>> = {
  weight: 2,
  maxconn: 2,
  cookie: 2,
  id: 2,
  backup: 1,
  disabled: 1,
};
/** Parameters that it takes to reach a server; those of its stand-in. */
const REACHING: Readonly<Record<string, number>> = {
  ssl: 1,
  verify: 2,
  'ca-file': 2,
  crt: 2,
  sni: 2,
  alpn: 2,
  resolvers: 2,
  'init-addr': 2,
};

function dropped(kind: string, words: readonly string[], { balance, timeouts = {} }: Changes): boolean {
  const [keyword, first] = words;
  if (kind === 'global') return OF_THE_PROCESS.has(keyword!);
  if (keyword === 'log' || keyword === 'default-server') return true;
  return (keyword === 'timeout' && first! in timeouts) || (keyword === 'balance' && balance !== undefined);
}

/** What `changes` put at the beginning of a section. */
function added({ kind, lines }: Section, mode: string, changes: Changes): Line[] {
  const { balance, timeouts = {}, rules = [] } = changes;
  const asked = (keyword: string): boolean => lines.some(({ words }) => words[0] === keyword);
  const own = [
    ...(kind === 'defaults' ? Object.entries(timeouts).map(([name, time]) => `timeout ${name} ${time}`) : []),
    ...(balance && asked('server') ? [`balance ${balance}`] : []),
    ...(asked('bind') && mode === 'http' ? rules : []),
  ];
  return own.map((line) => () => line);
}

/** Of a server's parameters those of `kept`, each with the words that belong to it. */
function parameters(words: readonly string[], kept: Readonly<Record<string, number>>): string[] {
  const found: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const length = Object.hasOwn(kept, words[i]!) ? kept[words[i]!]! : 0;
    found.push(...words.slice(i, i + length));
    i += Math.max(0, length - 1);
  }
  return found;
}

const STAND_INS = `defaults
    mode http
    timeout connect 5s
    timeout client 5m
    timeout server 5m
    timeout tarpit 5m
    timeout http-request 5m`;

function standInSection({ name, mode, to }: StandIn, i: number, port: (name: string) => number): string {
  const rules = [
    `http-request tarpit if { req.hdr(${ASK}) -m str hold }`,
    `http-request reject if { req.hdr(${ASK}) -m str drop }`,
    `http-request return status 200 content-type text/plain lf-string "${name} %[req.hdrs,json(utf8s)]" if { req.hdr(${ASK}) -m str echo }`,
  ];
  return [
    `listen lablb_standin_${i}`,
    `mode ${mode}`,
    `bind ${LOOPBACK}:${port(name)}`,
    ...(mode === 'http' ? rules : []),
    `server real ${to.join(' ')}`,
  ].join('\n    ');
}
