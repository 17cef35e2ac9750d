import { randomUUID } from 'node:crypto';
import { LabError } from '../errors.ts';
import type { ExecResult } from '../providers/provider.ts';
import { NOT_FOUND } from '../shell/run.ts';
import { curlMissing } from './exchange.ts';
import { curlCommand, type Sender, type Target } from './request.ts';

export interface Rate {
  /** Requests that one curl sends, one after another, ten times a second. */
  readonly batch: number;
  /** How long a request may take. Seconds. */
  readonly patience: number;
}

/** Requests that go on until `end`, ten curls a second, all started by one process on the sending node. */
export interface Steady {
  /** Sends no more, waits for those that are under way, and tells how each ended; the same each time it is called. */
  end(): Promise<readonly Reply[]>;
}

export interface Reply {
  /** 0: no answer, or not a whole one, or not in time. */
  readonly status: number;
  readonly seconds: number;
}

const MAX_SECONDS = 180;
const TICKS_A_SECOND = 10;

/**
 * Starts to send. It ends by itself after three minutes, if nobody is left who could end it.
 *
 * `end` throws LabError `curl.missing`, or `request.failed` when requests could not be sent at all.
 */
export function sendSteadily(target: Target, { batch, patience }: Rate, { provider, node }: Sender): Steady {
  const stop = `/tmp/lablb-${randomUUID()}`;
  const [curl, ...words] = curlCommand(target);
  const url = words.pop()!;
  const each = ['--noproxy', '*', '--max-time', String(patience), '-w', '%{http_code} %{time_total}\\n'];
  const urls = Array.from({ length: batch }, () => ['-o', '/dev/null', url]).flat();
  const argv = [String(MAX_SECONDS * TICKS_A_SECOND), stop, curl!, ...each, ...words, ...urls];
  const timeoutMs = (MAX_SECONDS + 60) * 1000;
  // Not with the sender's signal: whoever interrupts calls `end`.
  const sending = provider.exec(node, ['sh', '-c', SEND, 'sh', ...argv], { timeoutMs });
  sending.catch(() => undefined); // told by `end`
  let ended: Promise<readonly Reply[]> | undefined;
  const end = async (): Promise<readonly Reply[]> => {
    await provider.exec(node, ['touch', stop]);
    try {
      return readReplies(await sending, node);
    } catch (error) {
      // Ctrl-C reaches the sender too, which then does not take the file away.
      await provider.exec(node, ['rm', '-f', stop]);
      throw error;
    }
  };
  return {
    end: () => {
      ended ??= end();
      ended.catch(() => undefined); // it may be awaited later
      return ended;
    },
  };
}

/** What SEND wrote: a line `STATUS SECONDS` a request. */
function readReplies({ exitStatus, stdout, stderr }: ExecResult, node: string): Reply[] {
  if (exitStatus === NOT_FOUND) throw curlMissing(node);
  if (exitStatus !== 0)
    throw new LabError('requests could not be sent', { code: 'request.failed', node, exitStatus, stderr });
  return [...stdout.matchAll(/^(\d{3}) (\d+)[.,](\d+)$/gm)].map(([, status, whole, part]) => ({
    status: Number(status),
    seconds: Number(`${whole}.${part}`),
  }));
}

/**
 * TICKS STOP CURL ARGUMENT…: until the file STOP is there, or for TICKS tenths of a second; or until whoever started it
 * is gone, for then nobody will write STOP.
 */
const SEND = `
ticks=$1 stop=$2
shift 2
command -v "$1" >/dev/null || exit 127
while [ "$ticks" -gt 0 ] && [ ! -e "$stop" ] && kill -0 "$PPID" 2>/dev/null; do
  "$@" &
  ticks=$((ticks - 1))
  sleep 0.1
done
wait
rm -f "$stop"
exit 0
`;
