import { connect } from 'node:net';
import { LabError } from '../errors.ts';
import type { DesiredNode } from '../plan/desired.ts';
import type { LabProvider } from '../providers/provider.ts';

const ANSWER_WITHIN_MS = 2000;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Asks the balancer on its runtime socket (management guide, section 9.3), on the node itself.
 *
 * @throws LabError `balancer.socket` when it does not answer.
 */
export async function askRuntime(
  node: DesiredNode,
  provider: LabProvider,
  command: string,
  signal?: AbortSignal,
): Promise<string> {
  const path = node.socket;
  if (!path) throw silent(node, "its configuration has no 'stats socket'");
  // A local node's socket is one of this machine.
  if (node.family === 'embedded')
    return askHere(path, command).catch((error) => Promise.reject(silent(node, inWords(error.message))));
  const argv = ['sh', '-c', ASK, 'sh', path, command, String(ANSWER_WITHIN_MS / 1000)];
  const result = await provider.exec(node.name, argv, { timeoutMs: ANSWER_WITHIN_MS + 10_000, signal });
  if (result.exitStatus === 0) return result.stdout;
  throw silent(node, inWords(result.stderr.trim().split('\n').at(-1) ?? ''));
}

function askHere(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let answer = '';
    socket.setEncoding('utf8').setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > MAX_BYTES) socket.destroy(new Error('an answer without end'));
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
    socket.once('connect', () => socket.write(`${command}\n`));
  });
}

/**
 * PATH COMMAND SECONDS. Few systems have a program for unix sockets, but each has a language that its package manager
 * needs: Red Hat's family Python (of whatever name), Debian's Perl.
 */
const ASK = String.raw`
for python in python3 /usr/libexec/platform-python python2; do
  ! command -v "$python" >/dev/null || exec "$python" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(float(sys.argv[3]))
out = getattr(sys.stdout, "buffer", sys.stdout)
try:
    s.connect(sys.argv[1])
    s.sendall((sys.argv[2] + "\n").encode())
    while True:
        part = s.recv(65536)
        if not part: break
        out.write(part)
except Exception as error:
    sys.exit(getattr(error, "strerror", None) or str(error))' "$@"
done
! command -v perl >/dev/null || exec perl -MIO::Socket::UNIX -e '
$SIG{ALRM} = sub { die "timed out\n" };
alarm $ARGV[2];
my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n";
$s->autoflush(1);
print $s "$ARGV[1]\n";
print while <$s>;' "$@"
! command -v socat >/dev/null || { echo "$2" | exec socat -t "$3" - "UNIX-CONNECT:$1"; exit; }
echo "none of python3, perl, socat is there to ask with" >&2
exit 1
`;

/** What systems and languages say when a socket does not do its part → what that means here. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/ENOENT|No such file/i, 'it is not there, so the balancer does not run'],
  [/ECONNREFUSED|refused/i, 'nobody listens there, so the balancer does not run'],
  [
    /timed out|no answer/i,
    `it takes the question and says nothing for ${ANSWER_WITHIN_MS / 1000} s, as a frozen one does`,
  ],
];

function inWords(why: string): string {
  return MEANINGS.find(([says]) => says.test(why))?.[1] ?? why;
}

function silent({ name, socket }: DesiredNode, why: string): LabError {
  return new LabError(`the balancer does not answer on its runtime socket${why && `: ${why}`}`, {
    code: 'balancer.socket',
    node: name,
    hints: [
      'lablb status',
      socket ? `lablb logs ${name}` : 'stats socket /run/haproxy/admin.sock   (in section global)',
    ],
  });
}
