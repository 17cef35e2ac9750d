/**
 * Persistence by cookie (manual, `cookie` and `server … cookie`): the client's cookie names the server that its
 * requests go to. `insert` adds a cookie of our own, `rewrite` fills in the server's, `prefix` puts the name before
 * the server's value.
 */

import { type Head, headerName } from '../http1/head.ts';
import type { Server } from '../model.ts';
import type { CookieSettings } from '../settings.ts';
import type { Transaction } from '../transaction.ts';

export interface CookiePlan {
  readonly settings: CookieSettings;
  /** Server by the value in the cookie. */
  readonly servers: ReadonlyMap<string, Server>;
}

const COOKIE = headerName('cookie');
const SET_COOKIE = headerName('set-cookie');
const VALIDATORS = ['expires', 'last-modified', 'etag'].map(headerName);
const CACHE_CONTROL = headerName('cache-control');

/** The server the client's cookie names, whether or not it can still serve. */
export function persistentServer(tx: Transaction, plan: CookiePlan): Server | undefined {
  const { settings, servers } = plan;
  const value = cookieValue(tx.request, settings.name);
  if (value === undefined) return undefined;
  tx.persistence = value;
  return servers.get(settings.mode === 'prefix' ? value.split('~', 1)[0]! : value);
}

export const applyCookie = { toRequest, toResponse };

/** `indirect` and `prefix`: the application does not see our part. */
function toRequest(tx: Transaction, { settings }: CookiePlan): void {
  if (settings.mode === 'prefix')
    editCookie(tx.request, settings.name, (value) => value.slice(value.indexOf('~') + 1));
  else if (settings.mode === 'insert' && settings.indirect)
    editCookie(tx.request, settings.name, () => undefined);
}

function toResponse(tx: Transaction, { settings }: CookiePlan): void {
  const { response, server } = tx;
  if (server?.cookie === undefined) return;
  if (settings.mode === 'insert') {
    if (settings.preserve && setsCookie(response, settings.name)) return;
    if (tx.persistence === server.cookie) return;
    if (settings.postonly && tx.request.method !== 'POST') return;
    response.add(SET_COOKIE, cookieText(settings, server.cookie));
    if (settings.nocache && isCacheable(tx)) response.add(CACHE_CONTROL, 'private');
    return;
  }
  for (let i = response.find(SET_COOKIE); i >= 0; i = response.find(SET_COOKIE, i + 1)) {
    const text = response.value(i);
    const equals = text.indexOf('=');
    if (text.slice(0, equals).trim() !== settings.name) continue;
    const end = text.indexOf(';') < 0 ? text.length : text.indexOf(';');
    const value =
      settings.mode === 'prefix' ? `${server.cookie}~${text.slice(equals + 1, end)}` : server.cookie;
    response.replaceAt(i, `${text.slice(0, equals + 1)}${value}${text.slice(end)}`);
    return;
  }
}

/** A shared cache might keep it, and hand our cookie to others (RFC 9111, section 3). */
function isCacheable({ request, response }: Transaction): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const control = response.getAll(CACHE_CONTROL).join(',').toLowerCase();
  if (/(^|[,\s])(no-store|no-cache|private)/.test(control)) return false;
  return /(^|[,\s])(s-maxage|max-age)=/.test(control) || VALIDATORS.some((name) => response.has(name));
}

function cookieText(settings: CookieSettings, value: string): string {
  return [
    `${settings.name}=${value}`,
    'path=/',
    ...settings.domains.map((domain) => `domain=${domain}`),
    ...(settings.httponly ? ['HttpOnly'] : []),
    ...(settings.secure ? ['Secure'] : []),
    ...settings.attrs,
  ].join('; ');
}

function setsCookie(response: Head, name: string): boolean {
  return response.getAll(SET_COOKIE).some((text) => text.slice(0, text.indexOf('=')).trim() === name);
}

function cookieValue(request: Head, name: string): string | undefined {
  for (const line of request.getAll(COOKIE))
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
  return undefined;
}

/** Changes (or with undefined takes out) one cookie of the request. */
function editCookie(request: Head, name: string, edit: (value: string) => string | undefined): void {
  for (let i = request.find(COOKIE); i >= 0; i = request.find(COOKIE, i + 1)) {
    const line = request.value(i);
    const kept = line.split(';').flatMap((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0 || pair.slice(0, equals).trim() !== name) return [pair.trim()];
      const value = edit(pair.slice(equals + 1).trim());
      return value === undefined ? [] : [`${name}=${value}`];
    });
    const text = kept.join('; ');
    if (text === line) continue;
    if (text === '') request.removeAt(i);
    else request.replaceAt(i, text);
  }
}
