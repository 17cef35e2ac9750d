import { sha256 } from '../plan/hash.ts';
import { type Finding, tryCase } from './case.ts';
import { type Answer, curlCommand, sendRequest, showCommand } from './request.ts';
import { labTarget, proxyOf, senderOf } from './sites.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';
import { readConfiguration, readOnNode, sayTwin, type Twin, withTwin } from './twin.ts';
import { ASK, type Changes } from './twin-config.ts';
import { cannotTry } from './unfit.ts';

const NAME = 'errorfiles';

/** How an error is made to happen. */
interface Way {
  readonly status: number;
  /** What happens, as a heading. */
  readonly what: string;
  /** Only with this program; both unless said. */
  readonly program?: 'lablb-proxy' | 'haproxy';
  /** On the lab's own balancer, else on the twin. */
  readonly own?: boolean;
  /** What it takes from the twin. */
  readonly changes?: Changes;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, through bash, for curl sends whole requests only. */
  readonly raw?: string;
}

const asks = (status: number): string => `if { req.hdr(${ASK}) -m str ${status} }`;
const asking = (what: number | string): Readonly<Record<string, string>> => ({ [ASK]: String(what) });

const WAYS: readonly Way[] = [
  {
    status: 400,
    what: 'a request that cannot be read',
    program: 'lablb-proxy',
    own: true,
    method: 'NOT A METHOD',
  },
  {
    status: 400,
    // What HAProxy itself cannot read it answers before any errorfile comes in.
    what: 'a rule that refuses with it',
    program: 'haproxy',
    changes: { rules: [`http-request deny deny_status 400 ${asks(400)}`] },
    headers: asking(400),
  },
  {
    status: 403,
    what: 'a rule that denies',
    changes: { rules: [`http-request deny ${asks(403)}`] },
    headers: asking(403),
  },
  {
    status: 408,
    what: 'a head that never ends',
    program: 'lablb-proxy',
    changes: { timeouts: { 'http-request': '1s' } },
    raw: 'GET / HTTP/1.1\r\n',
  },
  {
    status: 408,
    // As with 400: at the head HAProxy is faster than its errorfile.
    what: 'a body that never comes',
    program: 'haproxy',
    changes: { timeouts: { 'http-request': '1s' }, rules: ['option http-buffer-request'] },
    headers: { 'Content-Length': '10' },
  },
  {
    status: 500,
    what: 'a rule that holds the client, then gives up',
    changes: { rules: [`http-request tarpit ${asks(500)}`], timeouts: { tarpit: '500ms' } },
    headers: asking(500),
  },
  { status: 502, what: 'a server that hangs up without an answer', headers: asking('drop') },
  {
    status: 503,
    what: 'no server',
    changes: {
      rules: [`use_backend lablb_nobody ${asks(503)}`],
      sections: 'backend lablb_nobody\n    mode http',
    },
    headers: asking(503),
  },
  {
    status: 504,
    what: 'a server that is too slow',
    changes: { timeouts: { server: '1s' } },
    headers: asking('hold'),
  },
];

/** What goes wrong gets the page that was written for it. */
export const errorfiles: Suite = {
  name: NAME,
  summary: 'each error that the balancer answers itself has the page that was written for it',
  how: 'Errors are made to happen: 400 on the lab’s own balancer, the others on a twin, which has short times, a rule that denies, servers that hang up or are too slow. Status and body must be those of the error file on the node (`errorfile` in its haproxy.cfg), and the file must be the one that lablb wrote.',
  unfit: ({ balancer }) =>
    balancer.config || balancer.errorPages
      ? undefined
      : { reason: 'the balancer has no error files', hint: 'balancer.errorPages: true' },
  run: async (context) => {
    const files = errorFilesOf(await readConfiguration(context));
    const known = [...new Set(WAYS.map(({ status }) => status))];
    const wanted = context.record.topology.balancer.config ? known.filter((one) => files.has(one)) : known;
    if (wanted.length === 0) throw cannotTry('the configuration names no error file');
    return withTwin(context, together(WAYS.map(({ changes = {} }) => changes)), async (twin) => {
      sayTwin(NAME, context, twin, 'short times and rules of the test');
      const results: CaseResult[] = [];
      for (const way of WAYS)
        if (wanted.includes(way.status) && (way.program ?? twin.program) === twin.program)
          results.push(await tryWay(way, files.get(way.status), twin, context));
      return results;
    });
  },
};

/** `errorfile STATUS PATH` lines: status → path. */
export function errorFilesOf(config: string): ReadonlyMap<number, string> {
  const lines = config.matchAll(/^[ \t]*errorfile[ \t]+(\d+)[ \t]+"?([^\s"]+)/gm);
  return new Map([...lines].map(([, status, path]) => [Number(status), path!]));
}

function together(all: readonly Changes[]): Changes {
  return {
    rules: all.flatMap(({ rules = [] }) => rules),
    timeouts: Object.assign({}, ...all.map(({ timeouts }) => timeouts)),
    sections: all.flatMap(({ sections = [] }) => sections).join('\n\n'),
  };
}

function tryWay(way: Way, path: string | undefined, twin: Twin, context: SuiteContext): Promise<CaseResult> {
  return tryCase(NAME, String(way.status), way.what, context, async () => {
    if (path === undefined) {
      return { proof: '', failure: `haproxy.cfg on ${twin.node} has no errorfile for ${way.status}` };
    }
    const answer = await makeHappen(way, twin, context);
    return compare(way.status, path, answer, await readOnNode(context, twin.node, path), context);
  });
}

async function makeHappen(way: Way, twin: Twin, context: SuiteContext): Promise<Answer> {
  const { sites, port } = context.record.topology.balancer;
  const { method, headers } = way;
  const host = sites[0]?.host;
  if (way.raw !== undefined) return sendRaw(twin.target({ at: port }).url, way.raw, twin.node, context);
  const target = way.own
    ? { ...labTarget(context, '/', host), method, headers }
    : twin.target({ host, method, headers });
  sayArgv(context, curlCommand(target));
  return way.own ? sendRequest(target, senderOf(context)) : twin.send(target);
}

/** bash opens connections by itself; what is sent is the first argument. */
const RAW = 'exec 3<>"/dev/tcp/$1/$2"; printf "%s" "$3" >&3; timeout 20 cat <&3';

async function sendRaw(url: string, raw: string, node: string, context: SuiteContext): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const shown = `exec 3<>/dev/tcp/${hostname}/${port}; printf '${JSON.stringify(raw).slice(1, -1)}' >&3; cat <&3`;
  sayArgv(context, ['bash', '-c', shown]);
  const argv = ['bash', '-c', RAW, 'bash', hostname, port, raw];
  const { stdout } = await context.provider.exec(node, argv, { signal: context.signal });
  return { ...parseResponse(stdout), via: 'curl' };
}

function sayArgv({ say, colours: c }: SuiteContext, argv: readonly string[]): void {
  say(`  ${c.dim(showCommand(argv))}`);
}

function compare(status: number, path: string, answer: Answer, file: string, context: SuiteContext): Finding {
  const page = parseResponse(file);
  const { name, files, root } = proxyOf(context);
  const known = files.find((one) => root + one.path === path);
  const shown = known?.path ?? path;
  const failure =
    answer.status !== status
      ? `it got status ${answer.status}, expected ${status}`
      : answer.body !== page.body
        ? `the page is not that of ${shown}: ${firstText(answer.body)}, expected ${firstText(page.body)}`
        : known && known.sha256 !== sha256(file)
          ? `${shown} on ${name} is not as lablb wrote it: changed by hand`
          : undefined;
  return {
    proof: `status ${status} with the page of ${shown}`,
    failure,
    data: { node: name, path: shown, status: answer.status },
  };
}

/** A whole HTTP response, as error files are: its status and what follows its head. */
export function parseResponse(text: string): { status: number; body: string } {
  const end = /\r?\n\r?\n/.exec(text);
  return {
    status: Number(/^HTTP\/\S+ (\d{3})/.exec(text)?.[1] ?? 0),
    body: end ? text.slice(end.index + end[0].length) : '',
  };
}

/** The beginning of a page, for an account of what is wrong with it. */
function firstText(body: string): string {
  const text = body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`;
}
