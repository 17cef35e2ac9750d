/** `defaults`, `frontend`, `backend`, `listen` (manual, section 4): opening, inheriting, closing. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext, SectionRow } from '../../config/language.ts';
import { didYouMean, type Place } from '../../errors.ts';
import type { ProxyOptions, ProxySettings } from '../settings.ts';
import { readListeners } from './bind.ts';
import { PROXY_KEYWORDS, redirectsOf } from './proxy.ts';
import { rowsFor } from './proxy-keyword.ts';
import { configurationOf } from './support.ts';

export const PROXY_SECTIONS: readonly SectionRow<ProxySettings>[] = [
  {
    keyword: 'defaults',
    usage: '[<name>] [from <defaults>]',
    doc: 'What the sections below start from',
    open: openDefaults,
    keywords: rowsFor('defaults', PROXY_KEYWORDS),
  },
  {
    keyword: 'frontend',
    usage: '<name> [from <defaults>]',
    doc: 'Where clients connect',
    open: (words, context) => openProxy('frontend', words, context),
    keywords: rowsFor('frontend', PROXY_KEYWORDS),
    close: closeProxy,
  },
  {
    keyword: 'backend',
    usage: '<name> [from <defaults>]',
    doc: 'Servers to forward to',
    open: (words, context) => openProxy('backend', words, context),
    keywords: rowsFor('backend', PROXY_KEYWORDS),
    close: closeProxy,
  },
  {
    keyword: 'listen',
    usage: '<name> [from <defaults>]',
    doc: 'A frontend and its backend in one',
    open: (words, context) => openProxy('listen', words, context),
    keywords: rowsFor('listen', PROXY_KEYWORDS),
    close: closeProxy,
  },
];

function openDefaults(words: Cursor, context: ParseContext): ProxySettings {
  const { place } = words.words[0]!;
  const { defaults } = configurationOf(context);
  const name = words.peek()?.text === 'from' ? '' : readName(words, context, false);
  // A defaults section starts from HAProxy's own values, unless it names another one.
  const from = readFrom(words, context);
  const draft = inherit(from, 'defaults', name, place);
  defaults.push(draft);
  reportRest(words, context);
  return draft;
}

function openProxy(
  kind: 'frontend' | 'backend' | 'listen',
  words: Cursor,
  context: ParseContext,
): ProxySettings {
  const { place } = words.words[0]!;
  const configuration = configurationOf(context);
  const name = readName(words, context, true);
  const old = oldAddress(kind, words, context);
  const from = readFrom(words, context) ?? configuration.defaults.at(-1);
  const draft = inherit(from, kind, name, words.words[1]?.place ?? place);
  configuration.proxies.push(draft);
  for (const listener of old) draft.binds.push({ ...listener, acceptProxy: false });
  reportRest(words, context);
  return draft;
}

/** `redirect` rules act last. Afterwards the section is whole. */
function closeProxy(draft: ProxySettings): void {
  draft.httpRequest.push(...redirectsOf(draft));
}

/** A bad name is reported and the section read all the same, so that its lines are checked too. */
function readName(words: Cursor, context: ParseContext, required: boolean): string {
  const word = words.peek();
  if (word === undefined) {
    if (required) throw new WordError(`'${words.keyword}' wants a name`, words.endPlace());
    return '';
  }
  words.take('a name');
  const odd = /[^A-Za-z0-9_.:-]/.exec(word.text)?.[0];
  if (odd !== undefined || word.text === '') {
    const what = odd === undefined ? 'an empty name' : `'${odd}' in the name '${word.text}'`;
    context.report(
      'error',
      `${what} of a section`,
      word.place,
      'letters, digits, -, _, . and : can be in names',
    );
  }
  return word.text;
}

/** `listen name *:8080`, `frontend main *:5000`: HAProxy up to 1.8. */
function oldAddress(kind: string, words: Cursor, context: ParseContext): ReturnType<typeof readListeners> {
  const word = words.peek();
  if (kind === 'backend' || word === undefined || word.text === 'from') return [];
  words.take('an address');
  const listeners = readListeners(word);
  const message = `address on the '${kind}' line (HAProxy 1.x)`;
  context.report('warning', message, word.place, `today: a line 'bind ${word.text}' below it`);
  return listeners;
}

function readFrom(words: Cursor, context: ParseContext): ProxySettings | undefined {
  if (!words.accept('from')) return undefined;
  const word = words.take('the name of a defaults section');
  const { defaults } = configurationOf(context);
  const found = defaults.findLast((section) => section.name === word.text);
  if (found === undefined) {
    const names = defaults.map((section) => section.name).filter((name) => name !== '');
    context.report(
      'error',
      `no defaults section '${word.text}' above`,
      word.place,
      didYouMean(word.text, names),
    );
  }
  return found;
}

function reportRest(words: Cursor, context: ParseContext): void {
  const extra = words.peek();
  if (extra !== undefined) {
    context.report('error', `'${words.keyword}' does not take '${extra.text}' here`, extra.place);
  }
}

/** A proxy with what its defaults say: rules and tests too (manual, section 4), but neither addresses nor servers. */
export function inherit(
  from: ProxySettings | undefined,
  kind: ProxySettings['kind'],
  name: string,
  place: Place,
): ProxySettings {
  const base = from ?? BUILT_IN;
  return {
    ...base,
    kind,
    name,
    place,
    from,
    id: 0,
    description: undefined,
    binds: [],
    saysBind: undefined,
    servers: [],
    useBackends: [],
    useServers: [],
    captures: [],
    monitorFail: [],
    defaultServer: { ...base.defaultServer },
    retryOn: [...base.retryOn],
    timeouts: { ...base.timeouts },
    options: { ...base.options },
    check: { ...base.check, tcpSteps: [...base.check.tcpSteps] },
    logs: [...base.logs],
    errorFiles: new Map(base.errorFiles),
    errorLocations: new Map(base.errorLocations),
    acls: new Map([...base.acls].map(([acl, tests]) => [acl, [...tests]])),
    tcpRequestConnection: [...base.tcpRequestConnection],
    tcpRequestSession: [...base.tcpRequestSession],
    tcpRequestContent: [...base.tcpRequestContent],
    tcpResponseContent: [...base.tcpResponseContent],
    httpRequest: [...base.httpRequest],
    httpResponse: [...base.httpResponse],
    httpAfterResponse: [...base.httpAfterResponse],
  };
}

const OPTIONS_OFF: ProxyOptions = {
  dontlognull: false,
  dontlogNormal: false,
  logSeparateErrors: false,
  logHealthChecks: false,
  connection: 'keep-alive',
  httpReuse: 'safe',
  abortonclose: false,
  allbackups: false,
  httpIgnoreProbes: false,
  httpBufferRequest: false,
  persist: false,
};

/** What HAProxy does when nothing is said. */
const BUILT_IN: ProxySettings = {
  kind: 'defaults',
  name: '',
  place: { file: '', line: 0, column: 0 },
  id: 0,
  mode: 'tcp',
  disabled: false,
  binds: [],
  servers: [],
  defaultServer: {},
  useBackends: [],
  useServers: [],
  retries: 3,
  retryOn: ['conn-failure'],
  redispatch: 0,
  timeouts: {},
  options: OPTIONS_OFF,
  balance: { algorithm: 'roundrobin', args: [] },
  check: { type: 'tcp', disableOn404: false, sendState: false, tcpSteps: [] },
  logs: [],
  logGlobal: false,
  captures: [],
  errorFiles: new Map(),
  errorLocations: new Map(),
  monitorFail: [],
  acls: new Map(),
  tcpRequestConnection: [],
  tcpRequestSession: [],
  tcpRequestContent: [],
  tcpResponseContent: [],
  httpRequest: [],
  httpResponse: [],
  httpAfterResponse: [],
};
