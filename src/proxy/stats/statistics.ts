/** The statistics page as one pure function: a request in, a reply out (configuration manual, `stats enable`). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { LiveProxy } from '../model.ts';
import type { StatsSettings } from '../settings.ts';
import type { Reply } from '../transaction.ts';
import { type ActionOutcome, runAction } from './actions.ts';
import { renderPage } from './page.ts';
import { csv, json, selectRows, typed } from './rows.ts';
import { JSON_SCHEMA } from './schema.ts';
import { moment, readView, type StatsContext, type StatsView, viewUri } from './view.ts';

export interface StatsRequest {
  readonly method: string;
  /** The target: path and query. */
  readonly uri: string;
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
  /** The whole body of a POST; undefined when it is larger than a buffer. */
  readonly body: string | undefined;
  /** A `stats admin` condition holds. */
  readonly admin: boolean;
}

/** Whether a request is for the statistics: its target begins with `stats uri`. */
export function isStatsRequest(method: string, uri: string, settings: StatsSettings): boolean {
  return settings.enabled && uri.startsWith(settings.uri) && ['GET', 'HEAD', 'POST'].includes(method);
}

/** The caller leaves out the body of an answer to HEAD, and gives the answer its length. */
export function renderStats(
  proxy: LiveProxy,
  request: StatsRequest,
  settings: StatsSettings,
  nowMs: number,
): Reply {
  if (settings.auth.length > 0 && !authorized(request.authorization, settings.auth))
    return unauthorized(settings.realm);
  const words = request.uri.slice(settings.uri.length);
  const view = readView(words);
  if (request.method === 'POST') return act(proxy, request, settings, view);

  const form = FORMS.find(({ word }) => words.includes(word)) ?? PAGE;
  const body = form.render({ proxy, settings, view, nowMs, admin: request.admin });
  const refresh = settings.refresh > 0 && !view.noRefresh;
  return {
    status: 200,
    headers: [
      ['cache-control', 'no-cache'],
      ['content-type', form.type],
      ...(refresh ? [['refresh', String(settings.refresh)] as const] : []),
    ],
    body,
  };
}

interface FormRow {
  /** In the target, as `/stats;csv`. */
  readonly word: string;
  readonly type: string;
  render(context: StatsContext): string;
}

const PAGE: FormRow = {
  word: '',
  type: 'text/html',
  render: (context) => renderPage(context, selected(context)),
};

/** Longer words first: `;json-schema` begins as `;json`. */
const FORMS: readonly FormRow[] = [
  { word: ';csv', type: 'text/plain', render: (context) => csv(selected(context), moment(context)) },
  { word: ';typed', type: 'text/plain', render: (context) => typed(selected(context), moment(context)) },
  { word: ';json-schema', type: 'application/json', render: () => JSON_SCHEMA },
  { word: ';json', type: 'application/json', render: (context) => json(selected(context), moment(context)) },
];

function selected({ proxy, settings, view }: StatsContext): ReturnType<typeof selectRows> {
  return selectRows(proxy, {
    hideDown: view.hideDown,
    scope: (name) =>
      name.includes(view.scope) && (settings.scope.length === 0 || settings.scope.includes(name)),
  });
}

function act(proxy: LiveProxy, request: StatsRequest, settings: StatsSettings, view: StatsView): Reply {
  const outcome = outcomeOf(proxy, request);
  return {
    status: 303,
    headers: [
      ['cache-control', 'no-cache'],
      ['content-type', 'text/plain'],
      ['location', viewUri(settings.uri, view, `st=${outcome}`)],
    ],
    body: '',
  };
}

function outcomeOf(proxy: LiveProxy, { admin, body }: StatsRequest): ActionOutcome {
  if (!admin) return 'DENY';
  return body === undefined ? 'EXCD' : runAction(proxy, new URLSearchParams(body));
}

function unauthorized(realm: string): Reply {
  return {
    status: 401,
    headers: [
      ['cache-control', 'no-cache'],
      ['content-type', 'text/html'],
      ['www-authenticate', `Basic realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`],
    ],
    body: '<html><body><h1>401 Unauthorized</h1>\nThe statistics want a user and a password.\n</body></html>\n',
  };
}

function authorized(header: string | undefined, users: StatsSettings['auth']): boolean {
  const encoded = /^basic +([a-z0-9+/=]+) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return false;
  const given = Buffer.from(encoded, 'base64').toString('latin1');
  return users.some(({ user, password }) => equal(given, `${user}:${password}`));
}

/** Takes as long whether they differ early or late. */
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(a), digest(b));
}
