import { start } from './processes.mjs';

/** Load one URL with `wrk` and give its figures: { requests, seconds, p99 (milliseconds), failures: [text] }. */
export async function load({ url, headers, connections, seconds, core }) {
  const argv = [
    'wrk',
    '-t',
    '1',
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '--timeout',
    '5s',
    '--latency',
  ];
  for (const header of headers) argv.push('-H', header);
  const wrk = start([...argv, url], { core });
  const { code } = await wrk.done;
  if (code !== 0) throw new Error(`wrk ended with ${code}: ${wrk.output.stderr.trim()}`);
  return parseWrk(wrk.output.stdout);
}

export function parseWrk(text) {
  const total = /(\d+) requests in ([\d.]+)(us|ms|s|m|h),/.exec(text);
  const p99 = /^\s*99%\s+([\d.]+)(us|ms|s|m|h)\s*$/m.exec(text);
  if (!total || !p99) throw new Error(`wrk said nothing that can be read:\n${text.slice(0, 500)}`);
  return {
    requests: Number(total[1]),
    seconds: milliseconds(total[2], total[3]) / 1000,
    p99: milliseconds(p99[1], p99[2]),
    failures: failures(text),
  };
}

function failures(text) {
  const found = [];
  const status = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  if (status) found.push(`${status[1]} responses other than 2xx`);
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  if (socket) {
    for (const [at, what] of ['connect', 'read', 'write', 'timeout'].entries()) {
      if (socket[at + 1] !== '0') found.push(`${socket[at + 1]} ${what} errors`);
    }
  }
  return found;
}

function milliseconds(number, unit) {
  return (Number(number) * { us: 1, ms: 1000, s: 1e6, m: 60e6, h: 3600e6 }[unit]) / 1000;
}
