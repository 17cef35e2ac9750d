/** Actions that end a rule set or the connection, and those that only steer. */
import { type ActionRow, type RuleSet, VERDICT, type Verdict } from '../expressions.ts';
import { configurationOf } from '../keywords/support.ts';

const HTTP: readonly RuleSet[] = ['http-request', 'http-response', 'http-after-response'];
const TCP_REQUEST: readonly RuleSet[] = [
  'tcp-request connection',
  'tcp-request session',
  'tcp-request content',
];
const TCP: readonly RuleSet[] = [...TCP_REQUEST, 'tcp-response content'];

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

export const CONTROL_ACTIONS: readonly ActionRow[] = [
  verdict(
    'allow',
    [...HTTP, 'stats http-request'],
    'End this set of rules: the rest does not apply.',
    VERDICT.stop,
  ),
  verdict('accept', TCP, 'End this set of rules: the rest does not apply.', VERDICT.stop),
  {
    ...verdict('reject', [...TCP, 'http-request'], 'Close the connection without an answer.', VERDICT.close),
    compile: () => (tx) => {
      tx.termination = 'PR';
      return VERDICT.close;
    },
  },
  {
    ...verdict(
      'silent-drop',
      [...TCP, 'http-request', 'http-response'],
      'Close the connection without an answer; the client is not told.',
      VERDICT.close,
    ),
    compile: () => (tx) => {
      tx.termination = 'PR';
      tx.logLevel ??= -1;
      return VERDICT.close;
    },
  },
  verdict(
    'close',
    ['tcp-response content'],
    "Close the server's connection, and the client's after it.",
    VERDICT.close,
  ),
  {
    keyword: 'set-log-level',
    usage: `{${LEVELS.join('|')}|silent}`,
    doc: 'Change the level of the log line, or suppress it.',
    sets: ['http-request', 'http-response', 'tcp-request content', 'tcp-response content'],
    parse: (words) => {
      const { keyword } = words.oneOf(
        'log level',
        [...LEVELS, 'silent'].map((k) => ({ keyword: k })),
      );
      return LEVELS.indexOf(keyword);
    },
    compile: (level: number) => (tx) => {
      tx.logLevel = level;
      return VERDICT.next;
    },
  },
  {
    keyword: 'expect-proxy',
    usage: 'layer4',
    doc: 'Wait for a PROXY protocol header: like accept-proxy of a bind line, under a condition.',
    sets: ['tcp-request connection'],
    parse: (words) =>
      words.fail("'expect-proxy' is not supported by this engine yet", undefined, 'bind … accept-proxy is'),
    compile: () => () => VERDICT.next,
  },
  idle('set-nice', '<-1024…1024>', 'Priority among the tasks of the process.', [
    'http-request',
    'http-response',
    'tcp-request content',
    'tcp-response content',
  ]),
  idle('set-tos', '<tos>', 'TOS or DSCP of packets to the client.', [
    ...TCP,
    'http-request',
    'http-response',
  ]),
  idle('set-mark', '<mark>', 'Netfilter mark of packets to the client.', [
    ...TCP,
    'http-request',
    'http-response',
  ]),
  idle('strict-mode', '{on|off}', 'Whether a rewrite that fails ends the request: it always does.', HTTP),
  idle('wait-for-handshake', '', 'Wait until the TLS handshake is over: it always is.', ['http-request']),
  idle('disable-l7-retry', '', 'Do not send the request again.', ['http-request']),
  idle('set-priority-class', '<expr>', 'Class in the queue.', ['http-request', 'tcp-request content']),
  idle('set-priority-offset', '<expr>', 'Place in the queue.', ['http-request', 'tcp-request content']),
];

function verdict(keyword: string, sets: readonly RuleSet[], doc: string, result: Verdict): ActionRow {
  return { keyword, usage: '', doc, sets, parse: () => undefined, compile: () => () => result };
}

/** Read and not acted on; the engine says so once. */
function idle(keyword: string, usage: string, doc: string, sets: readonly RuleSet[]): ActionRow {
  return {
    keyword,
    usage,
    doc: `${doc} Read, not acted on.`,
    sets,
    parse: (words, context, _proxy, set) => {
      const { place } = words.words[words.position - 1]!;
      if (usage !== '') words.take(usage);
      configurationOf(context).noted.push({ keyword: `${set} ${keyword}`, place });
    },
    compile: () => () => VERDICT.next,
  };
}
