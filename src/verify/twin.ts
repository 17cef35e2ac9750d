import { actual } from '../cli/lab-lines.ts';
import { LabError } from '../errors.ts';
import { HAPROXY_CONFIG } from '../render/haproxy-config.ts';
import { pause } from './pause.ts';
import { type Answer, curlCommand, type Sender, sendRequest, type Target } from './request.ts';
import { LOOPBACK, withSideBalancer } from './side-balancer.ts';
import { proxyOf } from './sites.ts';
import type { SuiteContext } from './suite.ts';
import { ASK, type Bind, type Changes, type ServerName, type TwinConfig, twinConfig } from './twin-config.ts';
import { cannotTry } from './unfit.ts';

/**
 * The lab's balancer a second time: its program, on its node, with the configuration as it lies there (see
 * `twinConfig`), so that a test can have what the lab itself does not show: a slow server, a broken one, what a
 * server sees. The lab goes on undisturbed.
 */
export interface Twin {
  readonly node: string;
  /** `lablb-proxy` or `haproxy`. */
  readonly program: string;
  readonly servers: readonly ServerName[];
  /** A request as a client of the lab would send it; `at`: to another port than that of the sites, as the topology has it. */
  target(request?: Omit<Target, 'url'> & { readonly path?: string; readonly at?: number }): Target;
  send(target: Target): Promise<Answer>;
  /** Sends a request that a server keeps until the twin ends, and hands back the server once it is there. */
  hold(target: Target): Promise<ServerName>;
  /** What a server sees of a request. */
  echo(target: Target): Promise<Echo>;
}

/** A request as it reached a server. */
export interface Echo {
  readonly server: ServerName;
  /** Header fields in order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const HOLD_WITHIN_MS = 15_000;
const HELD_AT_MOST_MS = 280_000;

/**
 * Runs `use` with a twin, which is gone afterwards.
 *
 * @throws LabError as `withSideBalancer`; `suite.unfit` where no twin can be made of the lab's configuration.
 */
export async function withTwin<T>(
  context: SuiteContext,
  changes: Changes,
  use: (twin: Twin) => Promise<T>,
): Promise<T> {
  const config = twinConfig(await readConfiguration(context), changes);
  bindAt(config, context);
  const held: Promise<unknown>[] = [];
  try {
    return await withSideBalancer(context, config, async ({ node, program, port, control }) => {
      const { provider, signal } = context;
      const sender: Sender = { provider, node, signal };
      const load = async (): Promise<ReadonlyMap<ServerName, number>> =>
        loadIn((await sendRequest({ url: control }, sender)).body, config.servers);
      return use({
        node,
        program,
        servers: config.servers,
        target: ({ path = '/', at, ...request } = {}) => {
          const { name, tls } = bindAt(config, context, at);
          const url = `${tls ? 'https' : 'http'}://${LOOPBACK}:${port(name)}${path}`;
          // Its certificate is for the lab's names and addresses: that is the suite tls's to prove.
          return { ...request, url, insecure: tls || undefined };
        },
        send: (target) => sendRequest(target, sender),
        hold: async (target) => {
          const before = await load();
          const argv = [...curlCommand(asking(target, 'hold')), '-o', '/dev/null', '--noproxy', '*'];
          // It ends with the twin, or with the test: how is of no interest.
          held.push(provider.exec(node, argv, { timeoutMs: HELD_AT_MOST_MS, signal }).catch(() => undefined));
          return serverWithMore(before, load, context);
        },
        echo: async (target) => readEcho(await sendRequest(asking(target, 'echo'), sender), target),
      });
    });
  } catch (error) {
    throw context.record.topology.balancer.config ? orNoTwin(error) : error;
  } finally {
    await Promise.all(held);
  }
}

/** A configuration of the user's own may say what a twin cannot do: that is no fault of the lab. */
function orNoTwin(error: unknown): unknown {
  if (!(error instanceof LabError) || error.fields.code !== 'side.refused') return error;
  return cannotTry(`no twin can be made of your own configuration: ${error.fields.stderr?.trim() ?? ''}`);
}

/** Shows where the cases that follow are tried. */
export function sayTwin(suite: string, { say, colours: c }: SuiteContext, twin: Twin, change?: string): void {
  const changed = change === undefined ? '' : `, with ${change} put in`;
  say(`${suite} · ${c.dim(`on a twin of the balancer of ${twin.node} (${twin.program})${changed}`)}`);
}

/** haproxy.cfg as it is on the proxy node now. */
export async function readConfiguration(context: SuiteContext): Promise<string> {
  const { name, root } = proxyOf(context);
  return readOnNode(context, name, root + HAPROXY_CONFIG);
}

/** A command that is over at once may lose its output on the way (LXD): what is whole ends with the mark. */
const READ = 'cat "$1" && echo "$2"';
const MARK = 'lablb: the end';
const READS = 5;

/** @throws LabError `node.file` when it cannot be read. */
export async function readOnNode(context: SuiteContext, node: string, path: string): Promise<string> {
  const { provider, signal } = context;
  for (let attempt = 1; ; attempt++) {
    const argv = ['sh', '-c', READ, 'sh', path, MARK];
    const { exitStatus, stdout, stderr } = await provider.exec(node, argv, { signal });
    if (exitStatus === 0 && stdout.endsWith(`${MARK}\n`)) return stdout.slice(0, -MARK.length - 1);
    if (exitStatus === 0 && attempt < READS) continue;
    throw new LabError(`${path} cannot be read`, {
      code: 'node.file',
      node,
      stderr,
      hints: ['lablb status', 'lablb up'],
    });
  }
}

/** Where clients arrive for a port of the topology; that of the sites unless said, for which else the first does. */
function bindAt(config: TwinConfig, context: SuiteContext, at?: number): Bind {
  const { port, tls } = context.record.topology.balancer;
  const wanted = actual(proxyOf(context), at ?? (tls?.redirect ? tls.port : port));
  const bind = config.binds.find(({ address }) => address.endsWith(`:${wanted}`));
  const any = bind ?? (at === undefined ? config.binds[0] : undefined);
  if (any && config.servers.length > 0) return any;
  throw cannotTry(`the configuration does not listen on port ${wanted}, or has no server`);
}

function asking(target: Target, what: string): Target {
  return { ...target, headers: { ...target.headers, [ASK]: what } };
}

function loadIn(body: string, servers: readonly ServerName[]): ReadonlyMap<ServerName, number> {
  const words = body.trim().split(/\s+/);
  return new Map(
    servers.map((name) => {
      const word = words.find((one) => one.startsWith(`${name}=`));
      return [name, Number(word?.slice(name.length + 1) ?? 0)];
    }),
  );
}

async function serverWithMore(
  before: ReadonlyMap<ServerName, number>,
  load: () => Promise<ReadonlyMap<ServerName, number>>,
  { signal }: SuiteContext,
): Promise<ServerName> {
  const deadline = Date.now() + HOLD_WITHIN_MS;
  for (;;) {
    const now = await load();
    const more = [...now].find(([name, count]) => count > (before.get(name) ?? 0));
    if (more) return more[0];
    if (Date.now() >= deadline)
      throw new LabError('a slow request did not reach any server', { code: 'suite.hold' });
    await pause(50, signal);
  }
}

/** `site1/web1 HEAD`, the lines of the head as the inside of a JSON text. */
function readEcho({ status, body }: Answer, target: Target): Echo {
  const found = /^(\S+\/\S+) ([\s\S]*)$/.exec(body);
  if (status !== 200 || !found)
    throw new LabError(`no server got the request: the balancer answered with status ${status}`, {
      code: 'suite.echo',
      command: curlCommand(target),
    });
  const head = JSON.parse(`"${found[2]}"`) as string;
  const headers = head.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 ? [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const] : [];
  });
  return { server: found[1]!, headers };
}
