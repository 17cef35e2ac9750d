import type { Suite } from './suite.ts';

/** docs/suites.md, from the table of suites. Pure. */
export function renderSuiteDocs(suites: readonly Suite[]): string {
  return `${[HEAD, ...suites.map(section)].join('\n\n')}\n`;
}

const HEAD = `# What \`lablb test\` proves

<!-- Written by \`npm run docs\` from the suites in src/verify: change it there. -->

\`lablb test\` runs every suite that this lab has something for, \`lablb test SUITE …\` the ones named, \`lablb test
--list\` says what there is. Requests are sent with \`curl\` from a node of the lab (a client node when there is one, else
the proxy, for a host cannot reach its own macvlan containers), and each case shows its command, so that anyone can
repeat it. A suite that has nothing to try says why; exit status 1 when something does not hold, or when nothing could
be tried at all. \`--json\` and \`--junit FILE\` give the same to programs.

Some suites need what a lab does not show by itself: a slow server, one that hangs up, what a server sees. They start a
*twin*: the node's own program (the engine, or HAProxy) a second time, on the same node, with the haproxy.cfg that lies
there, on free ports of 127.0.0.1. Before each server the twin has a stand-in, which hands requests on to the real one,
unless a header field \`X-Lablb-Test\` asks for something else. What is changed or put in (an algorithm, a short time) is
said. The lab itself goes on undisturbed; the twin ends with the suite, also on Ctrl-C, and after five minutes by
itself if lablb was killed. So the commands of a twin are to be read, not repeated: its port is gone. Logs and health
checks are not part of a twin, and a configuration of your own may say what a twin cannot do; then the suite is skipped.`;

function section({ name, summary, how }: Suite): string {
  return `## ${name}\n\n${summary[0]!.toUpperCase()}${summary.slice(1)}.\n\n${how}`;
}
