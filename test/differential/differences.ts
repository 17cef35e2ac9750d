import type { Case, Differs, Outcome, Subject } from './fixture.ts';

/** docs/differences.md: every case in which the engine does not do as Debian's HAProxy 2.6 does, and why. */
export function renderDifferences(subjects: readonly Subject[]): string {
  const sections = subjects.flatMap((subject) => {
    const rows = subject.cases.flatMap((fixture) => rowOf(fixture) ?? []);
    if (rows.length === 0) return [];
    return [
      `## ${capital(subject.name)}\n\n| case | HAProxy 2.6 | lablb-proxy | why |\n|---|---|---|---|\n${rows.join('\n')}\n`,
    ];
  });
  const named = subjects.flatMap((subject) =>
    subject.cases.filter((fixture) => fixture.expect !== 'stricter'),
  );
  return `# Where the engine differs from HAProxy 2.6

Written from the tables in \`test/differential/cases\`; renew it with \`npx vitest run test/differential/differences -u\`.

The differential suite sends the same bytes through HAProxy 2.6 (Debian 12) and through the engine, with the same
configuration, in ${named.length} cases. In all but the following the client gets the same status, header fields and body, the
connection stays open or is closed alike, and the origin receives the same requests. Where 2.6 is lax the engine follows
HAProxy 3.4, or is stricter. The wording of built-in error pages is the engine's own; \`errorfile\` is sent byte for byte.
Beside these cases, messages made by chance are sent: there the engine may be stricter than HAProxy, never laxer.

${sections.join('\n')}`;
}

function rowOf(fixture: Case): string | undefined {
  const expected = fixture.expect ?? 'same';
  if (typeof expected === 'string') return undefined;
  const cells = [fixture.name, ...outcomes(expected), capital(expected.differs)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function outcomes({ haproxy, engine }: Differs): [string, string] {
  return [inWords(haproxy), inWords(engine)];
}

function inWords({ status, forwarded, closed, dropped, sends, has, lacks }: Outcome): string {
  const parts: string[] = [];
  if (status) parts.push(status.length === 0 ? 'no answer' : status.join(', '));
  if (forwarded !== undefined && forwarded > 0) parts.push('forwarded');
  if (forwarded === 0) parts.push('not forwarded');
  if (sends !== undefined) parts.push(`\`${sends.trim()}\``);
  if (has !== undefined) parts.push(`with \`${has.trim()}\``);
  if (lacks !== undefined) parts.push(`without \`${lacks.trim()}\``);
  if (closed !== undefined) parts.push(closed ? 'closed' : 'stays open');
  if (dropped !== undefined)
    parts.push(dropped ? "the origin's connection is closed" : "the origin's connection stays open");
  return parts.join('; ') || 'one or the other, by chance';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
