import { type Aspect, type Case, DEFAULT_ASPECTS, type Outcome } from './fixture.ts';
import { comparableLine } from './logsink.ts';
import type { Observation } from './observe.ts';
import { field, type Message, methodsOf, readRequests, readResponses } from './wire.ts';

/** What differs between two observations of one case, as sentences; none when they are the same. */
export function differences(fixture: Case, left: Observation, right: Observation): string[] {
  const [a, b] = [digest(left), digest(right)];
  return (fixture.compare ?? DEFAULT_ASPECTS).flatMap((aspect) => {
    const [x, y] = [ASPECTS[aspect](a), ASPECTS[aspect](b)];
    return x === y ? [] : [`${aspect}:\n    haproxy  ${printable(x)}\n    engine   ${printable(y)}`];
  });
}

/** What an observation lacks of an outcome, as sentences. */
export function shortcomings(outcome: Outcome, observation: Observation): string[] {
  const { responses, origins, ended } = digest(observation);
  const found: string[] = [];
  const statuses = responses.map((message) => message.startLine.split(' ')[1]).join(' ');
  const requests = origins
    .flatMap((reading) => reading.messages)
    .filter((message) => message.complete).length;
  const received = observation.origin.map((connection) => connection.bytes).join('');
  if (outcome.status && statuses !== outcome.status.join(' ')) {
    found.push(`status ${statuses || 'none'} instead of ${outcome.status.join(' ') || 'none'}`);
  }
  if (outcome.forwarded !== undefined && requests !== outcome.forwarded) {
    found.push(`${requests} requests reached the origin instead of ${outcome.forwarded}`);
  }
  if (outcome.closed !== undefined && outcome.closed !== (ended !== 'open')) {
    found.push(outcome.closed ? 'the connection stays open' : 'the connection was closed');
  }
  const dropped = observation.origin[0] !== undefined && observation.origin[0].ended !== 'open';
  if (outcome.dropped !== undefined && outcome.dropped !== dropped) {
    found.push(outcome.dropped ? "the origin's connection stays open" : "the origin's connection was closed");
  }
  if (outcome.sends !== undefined && !observation.received.includes(outcome.sends)) {
    found.push(`the client did not get ${printable(outcome.sends)}`);
  }
  if (outcome.has !== undefined && !received.includes(outcome.has)) {
    found.push(`the origin did not receive ${printable(outcome.has)}`);
  }
  if (outcome.lacks !== undefined && received.includes(outcome.lacks)) {
    found.push(`the origin received ${printable(outcome.lacks)}`);
  }
  return found;
}

/** What differs, unless the engine is only stricter than HAProxy: it refused, and let through no more than HAProxy did. */
export function laxities(fixture: Case, haproxy: Observation, engine: Observation): string[] {
  const found = differences(fixture, haproxy, engine);
  if (found.length === 0) return [];
  const [a, b] = [digest(haproxy), digest(engine)];
  const last = b.responses.at(-1);
  const refused = !last?.complete || /^HTTP\/1\.[01] (?:4\d\d|501|502|505) /.test(last.startLine);
  const wholeOf = ({ origins }: Digest): string[] =>
    origins.flatMap((reading) => reading.messages.filter((message) => message.complete).map(requestText));
  const more = wholeOf(b).filter((text) => !wholeOf(a).includes(text));
  // A refusal of the request ends before the origin; of a response, before the client has a whole one.
  if (refused && more.length === 0) return [];
  return more.length > 0
    ? [...found, `the origin received what HAProxy did not send: ${printable(more.join('\n--\n'))}`]
    : found;
}

/** An observation in one line. */
export function summary(observation: Observation): string {
  const { responses, origins, ended } = digest(observation);
  const statuses = responses.map((message) => message.startLine.split(' ')[1]).join(' ');
  const requests = origins.flatMap((reading) => reading.messages.map((message) => message.startLine));
  return `${statuses || 'no response'}, ${ended}; origin: ${requests.map((line) => printable(line, 60)).join(' + ') || 'nothing'}${observation.log.map((line) => `; logged: ${comparableLine(line)}`).join('')}`;
}

interface Digest {
  readonly responses: readonly Message[];
  /** Bytes after the last response. */
  readonly rest: string;
  readonly received: string;
  readonly ended: Observation['ended'];
  readonly log: readonly string[];
  readonly ends: readonly string[];
  readonly origins: readonly ReturnType<typeof readRequests>[];
}

const ASPECTS: Readonly<Record<Aspect, (digest: Digest) => string>> = {
  status: ({ responses }) => responses.map((message) => message.startLine).join('\n'),
  headers: ({ responses }) => responses.map((message) => sorted(normalized(message)).join('\n')).join('\n\n'),
  fields: ({ responses }) =>
    responses
      .map((message) => sorted(normalized(message).filter((text) => !FRAMING.test(text))).join('\n'))
      .join('\n\n'),
  body: ({ responses, rest }) => [...responses.map(bodyText), rest].join('\n--\n'),
  connection: ({ ended }) => (ended === 'open' ? 'open' : 'closed'),
  // Which connection carries a request is the proxy's own affair, and with it the order in which they are seen here.
  origin: ({ origins }) => origins.flatMap(originTexts).sort().join('\n--\n'),
  whole: ({ origins }) =>
    origins
      .flatMap((reading) => reading.messages)
      .filter((message) => message.complete)
      .map((message) => message.startLine)
      .join('\n'),
  connections: ({ origins }) => String(origins.length),
  ends: ({ ends }) => ends.join(' '),
  bytes: ({ received }) => received,
  log: ({ log }) => log.map(comparableLine).join('\n'),
};

const FRAMING = /^(?:content-length|transfer-encoding): /;

function digest(observation: Observation): Digest {
  const closed = observation.ended === 'FIN';
  const { messages, rest } = readResponses(observation.received, methodsOf(observation.sent), closed);
  return {
    responses: messages,
    rest,
    received: observation.received,
    ended: observation.ended,
    log: observation.log,
    ends: observation.origin.map((connection) => (connection.ended === 'open' ? 'open' : 'closed')),
    origins: observation.origin.map((connection) => readRequests(connection.bytes)),
  };
}

/** A page that the proxy wrote of its own: its wording is free, so neither it nor its length is compared. */
function isBuiltInPage(message: Message): boolean {
  const status = message.startLine.split(' ')[1]!;
  return (
    Number(status) >= 400 && message.body.includes(`<h1>${status} `) && !field(message.headers, 'server')
  );
}

function normalized(message: Message): string[] {
  return message.headers
    .filter(([name]) => !(isBuiltInPage(message) && name.toLowerCase() === 'content-length'))
    .map(([name, value]) => normalizedField(name.toLowerCase(), value));
}

function normalizedField(name: string, value: string): string {
  if (name === 'date') return 'date: some date';
  // Its tokens have no case and no order (RFC 9110, 7.6.1).
  if (name === 'connection') return `connection: ${value.toLowerCase().split(/ *, */).sort().join(', ')}`;
  return `${name}: ${value}`;
}

/** By name; fields of the same name stay in their order, which means something. */
function sorted(lines: readonly string[]): string[] {
  const name = (line: string): string => line.slice(0, line.indexOf(':'));
  return [...lines].sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}

function bodyText(message: Message): string {
  const body = isBuiltInPage(message) ? 'a page of the proxy' : message.body;
  return `${body}${message.trailers && `\ntrailers: ${message.trailers}`}${message.complete ? '' : '\n(cut)'}`;
}

function originTexts({ messages, rest }: ReturnType<typeof readRequests>): string[] {
  return [...messages.map(requestText), rest].filter(Boolean);
}

function requestText(message: Message): string {
  const fields = normalized(message);
  // Each proxy puts its own Connection where it likes, in one field or in two.
  const own = 'connection: ';
  const tokens = fields
    .filter((text) => text.startsWith(own))
    .flatMap((text) => text.slice(own.length).split(', '));
  const others = fields.filter((text) => !text.startsWith(own));
  const inOrder = tokens.length > 0 ? [...others, `${own}${tokens.sort().join(', ')}`] : others;
  return [message.startLine, ...inOrder, '', bodyText(message)].join('\n');
}

/** Text with its control characters shown, cut when long. */
export function printable(text: string, most = 2000): string {
  const shown = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replace(/[\x7f-\xff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
  return shown.length > most ? `${shown.slice(0, most)}… (${text.length} bytes)` : shown;
}
