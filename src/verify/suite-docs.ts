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
be tried at all. \`--json\` and \`--junit FILE\` give the same to programs.`;

function section({ name, summary, how }: Suite): string {
  return `## ${name}\n\n${summary[0]!.toUpperCase()}${summary.slice(1)}.\n\n${how}`;
}
