import { randomBytes, randomInt } from 'node:crypto';
import { LabError } from '../errors.ts';
import type { ExecResult } from '../providers/provider.ts';
import { NOT_FOUND } from '../shell/run.ts';
import { CURL } from './exchange.ts';
import { proxyOf } from './sites.ts';
import type { SuiteContext } from './suite.ts';
import { cannotTry } from './unfit.ts';

/** A second balancer beside the lab's own: the same program, on the same node, on loopback, for the length of a case. */
export interface SideBalancer {
  /** Node that it runs on; only there can it be asked. */
  readonly node: string;
  /** `lablb-proxy` or `haproxy`. */
  readonly program: string;
  /** Ports of its configuration, by the names that `ports` was given. */
  readonly port: (name: string) => number;
  /** What its frontend for the test itself says: the text that the configuration made of `reply`. */
  readonly control: string;
}

/** A configuration for loopback, made for ports that are free (it is asked for again when one was not). */
export interface SideConfig {
  /** Names of the ports that it needs. */
  readonly ports: readonly string[];
  /** `port` gives the number for a name. */
  readonly text: (port: (name: string) => number) => string;
  /** A log-format text that the control frontend answers with, e.g. `%[srv_conn(site1/web1)]`. */
  readonly reply?: string;
}

export const LOOPBACK = '127.0.0.1';

/** It ends by itself after this time, whatever became of lablb. */
const LIVES_SECONDS = 300;
const START_WITHIN_MS = 60_000;
const ATTEMPTS = 4;
/** Below what systems give to connections of their own (Linux: 32768). */
const PORTS = { from: 20_000, to: 31_000 };
const CONTROL = 'lablb_control';

/**
 * Runs `use` beside such a balancer; it is gone afterwards, with its files, also on Ctrl-C.
 *
 * @throws LabError `suite.unfit` where the node has no curl; `side.refused` with what the program said of the
 * configuration; `side.start` when it does not get ready.
 */
export async function withSideBalancer<T>(
  context: SuiteContext,
  config: SideConfig,
  use: (balancer: SideBalancer) => Promise<T>,
): Promise<T> {
  const { record, provider, signal } = context;
  const { name: node } = proxyOf(context);
  const engine = record.topology.nodes.find((one) => one.name === node)?.engine ?? 'lablb';
  const { argv } = provider.programs(record.topology).engine(engine);
  for (let attempt = 1; ; attempt++) {
    const nonce = randomBytes(6).toString('hex');
    const base = randomInt(PORTS.from, PORTS.to - config.ports.length - 1);
    const port = (name: string): number => base + 1 + config.ports.indexOf(name);
    const input = `${config.text(port)}\n${controlFrontend(base, nonce, config.reply)}`;
    const start = ['sh', '-c', START, 'sh', nonce, String(LIVES_SECONDS), String(base), ...argv];
    try {
      const started = await provider.exec(node, start, { input, timeoutMs: START_WITHIN_MS, signal });
      if (started.exitStatus === 0) {
        const program = engine === 'haproxy' ? 'haproxy' : 'lablb-proxy';
        return await use({ node, program, port, control: `http://${LOOPBACK}:${base}/` });
      }
      if (!PORT_TAKEN.test(started.stderr) || attempt === ATTEMPTS) throw notStarted(node, argv, started);
    } finally {
      await provider.exec(node, ['sh', '-c', STOP, 'sh', nonce], { timeoutMs: START_WITHIN_MS });
    }
  }
}

/** Answers with the nonce, so that it is known to be this process, and with what the test wants to know. */
function controlFrontend(port: number, nonce: string, reply = ''): string {
  return `
defaults
    mode http
    timeout client 10s
    timeout connect 10s
    timeout server 10s

frontend ${CONTROL}
    bind ${LOOPBACK}:${port}
    http-request return status 200 content-type text/plain lf-string "${nonce} ${reply}"
`;
}

const PORT_TAKEN = /in use|cannot bind/i;
const REFUSED = 4;

function notStarted(node: string, argv: readonly string[], { exitStatus, stderr }: ExecResult): LabError {
  if (exitStatus === NOT_FOUND) return cannotTry(`curl is not on ${node}`, CURL);
  const refused = exitStatus === REFUSED;
  return new LabError(
    refused
      ? 'the program refuses the configuration that the test made of it'
      : 'the balancer of the test did not start',
    { code: refused ? 'side.refused' : 'side.start', node, command: argv, exitStatus, stderr },
  );
}

/**
 * Where it is: a folder that only its maker can read, for a configuration may hold a password. On a local node it is in
 * the node's own folder: `lablb down` takes it along, whatever a killed test has left.
 */
const FOLDER = `dir="\${LABLB_ROOT:-\${TMPDIR:-/tmp}}/lablb-side-$1"`;

/**
 * Arguments: nonce, seconds to live, port of the control frontend, the program. The configuration is the input. Beside
 * the balancer runs a loop that ends it when the folder is gone or the time is over, and then takes the folder away.
 */
const START = `
${FOLDER} nonce=$1 seconds=$2 port=$3
shift 3
command -v curl >/dev/null || exit ${NOT_FOUND}
umask 077
mkdir "$dir" || exit 1
cat >"$dir/haproxy.cfg"
# On a local node: \`lablb down\` finds by it what a killed test has left.
[ -z "\${LABLB_ROOT-}" ] || export LABLB_NODE_FOLDER="$LABLB_ROOT"
"$@" -c -f "$dir/haproxy.cfg" >"$dir/log" 2>&1 || { tail -n 8 "$dir/log" >&2; exit ${REFUSED}; }
(
  # Another test's balancer may have come upon the same ports: not to be shared (-dR), but others taken.
  "$@" -db -dR -f "$dir/haproxy.cfg" &
  pid=$!
  echo "$pid" >"$dir/pid"
  n=0
  while [ -d "$dir" ] && [ "$n" -lt "$seconds" ] && kill -0 "$pid"; do sleep 1; n=$((n + 1)); done
  kill "$pid"
  if [ "$n" -lt "$seconds" ]; then touch "$dir/over"; else rm -rf "$dir"; fi
) >>"$dir/log" 2>&1 </dev/null &
n=0
until [ "$(curl -s --noproxy '*' --max-time 2 "http://${LOOPBACK}:$port/" | cut -c 1-12)" = "$nonce" ]; do
  n=$((n + 1))
  if [ "$n" -gt 200 ] || [ -e "$dir/over" ]; then tail -n 8 "$dir/log" >&2; exit 1; fi
  sleep 0.1
done
`;

/** Argument: nonce. */
const STOP = `
${FOLDER}
[ -d "$dir" ] || exit 0
[ ! -s "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null
rm -rf "$dir"
`;
