import { printable } from './compare.ts';
import type { Observation } from './observe.ts';

const WIDTH = 58;

/** Everything that went over the wire in a case, HAProxy's run to the left, the engine's to the right. */
export function sideBySide(left: Observation, right: Observation): string {
  const bar = '─'.repeat(WIDTH);
  const rows: string[] = [`${'haproxy'.padEnd(WIDTH)} │ engine`];
  const add = (title: string, a: string, b: string): void => {
    rows.push(`${bar}─┼─${bar}`, `${title.padEnd(WIDTH)} │`);
    const [x, y] = [wrapped(a), wrapped(b)];
    for (let at = 0; at < Math.max(x.length, y.length); at++) {
      const mark = x[at] === y[at] ? '│' : '┃';
      rows.push(`${(x[at] ?? '').padEnd(WIDTH)} ${mark} ${y[at] ?? ''}`.trimEnd());
    }
  };
  add('client sent', left.sent, right.sent);
  add('client received', left.received, right.received);
  add('client connection in the end', left.ended, right.ended);
  if (left.log.length + right.log.length > 0) add('logged', left.log.join('\n'), right.log.join('\n'));
  for (let at = 0; at < Math.max(left.origin.length, right.origin.length); at++) {
    const show = (side: Observation): string => {
      const connection = side.origin[at];
      return connection ? `${connection.bytes}\n(${connection.ended})` : '(no such connection)';
    };
    add(`origin received, connection ${at + 1}`, show(left), show(right));
  }
  return rows.join('\n');
}

/** Lines of the text, with their ends shown, cut to the column. At most 60 of them. */
function wrapped(text: string): string[] {
  const lines = text.split(/(?<=\n)/).flatMap((line) => {
    const shown = printable(line, 600);
    return shown.match(new RegExp(`.{1,${WIDTH}}`, 'gu')) ?? [''];
  });
  return lines.length > 60 ? [...lines.slice(0, 60), `… ${lines.length - 60} more lines`] : lines;
}
