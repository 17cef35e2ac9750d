import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/proxy/identity.ts';
import type { StatsSettings } from '../../../src/proxy/settings.ts';
import { duration } from '../../../src/proxy/stats/cells.ts';
import { COLUMNS } from '../../../src/proxy/stats/columns.ts';
import { isStatsRequest, renderStats, type StatsRequest } from '../../../src/proxy/stats/statistics.ts';
import { NOW, SETTINGS, sample } from './sample.ts';

function get(uri: string, settings: Partial<StatsSettings> = {}, request: Partial<StatsRequest> = {}) {
  const { proxy, servers } = sample();
  const whole = { method: 'GET', uri, authorization: undefined, body: undefined, admin: false, ...request };
  const reply = renderStats(proxy, whole, { ...SETTINGS, ...settings }, NOW);
  return {
    ...reply,
    proxy,
    servers,
    header: (name: string) => reply.headers?.find(([n]) => n === name)?.[1],
  };
}

function csvRows(body: string): Record<string, string>[] {
  const lines = body.trimEnd().split('\n');
  const names = lines[0]!.slice(2).split(',');
  return lines
    .slice(1)
    .map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], value])));
}

describe('which requests are for the statistics', () => {
  it.each([
    ['GET', '/stats', true],
    ['GET', '/stats;csv', true],
    ['GET', '/statsfoo', true],
    ['HEAD', '/stats', true],
    ['POST', '/stats', true],
    ['PUT', '/stats', false],
    ['GET', '/stat', false],
    ['GET', '/x/stats', false],
  ])('%s %s: %s', (method, uri, expected) => {
    expect(isStatsRequest(method, uri, SETTINGS)).toBe(expected);
    expect(isStatsRequest(method, uri, { ...SETTINGS, enabled: false })).toBe(false);
  });
});

describe('CSV', () => {
  it('has a row for each frontend, listener with counters, server and backend, in file order', () => {
    const rows = csvRows(get('/stats;csv').body!);
    const names = rows.map((row) => `${row.pxname}/${row.svname}`);
    expect(names.slice(0, 4)).toEqual(['main/FRONTEND', 'main/m1', 'web/up', 'web/falling']);
    expect(names.slice(-4)).toEqual(['web/BACKEND', 'tcpx/FRONTEND', 'tcpx/t', 'tcpx/BACKEND']);
    expect(names).toHaveLength(15);
  });

  it('says what state each server is in', () => {
    const rows = csvRows(get('/stats;csv').body!.replace(/".*sorry"/, ''));
    const states = rows.filter((row) => row.pxname === 'web').map((row) => [row.svname, row.status]);
    expect(Object.fromEntries(states)).toEqual({
      up: 'UP',
      falling: 'UP 2/3',
      rising: 'DOWN 1/2',
      down: 'DOWN',
      maint: 'MAINT',
      drain: 'DRAIN',
      nolb: 'NOLB',
      plain: 'no check',
      spare: 'UP',
      BACKEND: 'UP',
    });
  });

  it('sums a backend up: weight and servers in use, fullconn a tenth of the frontends', () => {
    const backend = csvRows(get('/stats;csv').body!.replace(/".*sorry"/, '')).find(
      (row) => row.svname === 'BACKEND',
    )!;
    expect(backend).toMatchObject({
      weight: '12',
      act: '3',
      bck: '1',
      slim: '100',
      lastsess: '75',
      lastchg: '3700',
    });
    expect(backend).toMatchObject({ cookie: 'SRV', algo: 'roundrobin', hrsp_2xx: '1234500', ttime: '120' });
  });

  it('shows checks of checked servers only, and quotes what needs it', () => {
    const { body } = get('/stats;csv');
    expect(body).toContain(',"Service ""Un<b>available"", sorry",');
    const rows = csvRows(body!.replace(/".*sorry"/, ''));
    const of = (name: string) => rows.find((row) => row.svname === name)!;
    expect(of('falling')).toMatchObject({
      check_status: 'L4CON',
      check_code: '',
      check_duration: '3',
      check_health: '3',
    });
    expect(of('down')).toMatchObject({ check_status: 'L7STS', check_code: '503', hanafail: '0' });
    expect(of('maint')).toMatchObject({ check_status: '', chkfail: '', downtime: '3700' });
    expect(of('plain')).toMatchObject({ check_status: '', downtime: '', lastchg: '3700' });
  });

  it('keeps addresses and cookies to itself without show-legends', () => {
    const rows = csvRows(get('/stats;csv', { showLegends: false }).body!.replace(/".*sorry"/, ''));
    expect(rows.every((row) => row.addr === '' && row.cookie === '' && row.algo === '')).toBe(true);
  });

  it('hides servers that are down with ;up, and tells how many there are', () => {
    const rows = csvRows(get('/stats;csv;up').body!);
    expect(rows.filter((row) => row.type === '2').map((row) => row.svname)).toEqual([
      'up',
      'falling',
      'drain',
      'nolb',
      'plain',
      'spare',
    ]);
    expect(rows.find((row) => row.svname === 'BACKEND')!.status).toBe('UP (6/9)');
  });

  it('shows only proxies in scope', () => {
    const names = (uri: string, scope: string[] = []) => [
      ...new Set(csvRows(get(uri, { scope }).body!.replace(/".*sorry"/, '')).map((row) => row.pxname)),
    ];
    expect(names('/stats;csv', ['tcpx', 'main'])).toEqual(['main', 'tcpx']);
    expect(names('/stats;csv?scope=we')).toEqual(['web']);
  });

  it('has no column without a word on it', () => {
    expect(
      COLUMNS.filter((column) => column.doc === '' || !/^[MSKCP][GLmMRCDATNOa][CPSY]$/.test(column.tags)),
    ).toEqual([]);
    expect(new Set(COLUMNS.map((column) => column.name)).size).toBe(COLUMNS.length);
  });
});

describe('headers', () => {
  it.each([
    ['/stats', 'text/html', '10'],
    ['/stats;norefresh', 'text/html', undefined],
    ['/stats;csv', 'text/plain', '10'],
    ['/stats;csv;norefresh', 'text/plain', undefined],
    ['/stats;json', 'application/json', '10'],
    ['/stats;json-schema', 'application/json', '10'],
  ])('%s: %s, refresh %s', (uri, type, refresh) => {
    const reply = get(uri);
    expect([reply.status, reply.header('content-type'), reply.header('refresh')]).toEqual([
      200,
      type,
      refresh,
    ]);
    expect(reply.header('cache-control')).toBe('no-cache');
  });

  it('does not refresh when not configured', () => {
    expect(get('/stats', { refresh: 0 }).header('refresh')).toBeUndefined();
  });
});

describe('JSON and typed', () => {
  it('is an array of objects with their fields', () => {
    const objects = JSON.parse(get('/stats;json').body!);
    expect(objects).toHaveLength(15);
    expect(objects[0][0]).toEqual({
      objType: 'Frontend',
      proxyId: 2,
      id: 0,
      field: { pos: 0, name: 'pxname' },
      processNum: 1,
      tags: { origin: 'Key', nature: 'Name', scope: 'Service' },
      value: { type: 'str', value: 'main' },
    });
    const rate = objects.at(-1).find((f: { field: { name: string } }) => f.field.name === 'rate');
    expect(rate.tags.nature).toBe('Gauge');
  });

  it('is a line a field', () => {
    const lines = get('/stats;typed').body!.split('\n');
    expect(lines).toContain('F.2.0.6.slim.1:CLP:u32:1000');
    expect(lines).toContain('S.3.2.17.status.1:SGP:str:UP 2/3');
    expect(lines).toContain('L.2.1.1.svname.1:KNS:str:m1');
  });
});

describe('authentication', () => {
  const auth = [
    { user: 'a', password: 'x' },
    { user: 'haproxy', password: 'p:w' },
  ];
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([
    [undefined, 401],
    ['Bearer x', 401],
    [basic('haproxy:wrong'), 401],
    [basic('haproxy:p'), 401],
    [basic('a:p:w'), 401],
    [basic('haproxy:p:w'), 200],
    [basic('a:x').replace('Basic', 'basic'), 200],
  ])('%s: %i', (authorization, status) => {
    const reply = get('/stats', { auth, realm: 'My "own" realm' }, { authorization });
    expect(reply.status).toBe(status);
    if (status === 401) expect(reply.header('www-authenticate')).toBe('Basic realm="My \\"own\\" realm"');
    expect(reply.body!.includes('main')).toBe(status === 200);
  });

  it('comes before actions', () => {
    const reply = get('/stats', { auth }, { method: 'POST', admin: true, body: 's=up&action=maint&b=web' });
    expect([reply.status, reply.servers.up!.admin]).toEqual([401, 'ready']);
  });
});

/** Outcomes as HAProxy 2.6 gave them for the same forms. */
describe('actions', () => {
  it.each([
    ['', 'NONE'],
    ['s=up', 'NONE'],
    ['action=ready&b=web', 'NONE'],
    ['s=up&action=drain&b=%233', 'DONE'],
    ['s=up&action=foo&b=web', 'ERRP'],
    ['s=zz&action=ready&b=web', 'ERRP'],
    ['s=up&action=ready&b=nope', 'ERRP'],
    ['s=up&s=spare&action=maint&b=web', 'DONE'],
    ['s=up&s=zz&action=ready&b=web', 'PART'],
    ['s=plain&action=dhlth&b=web', 'NONE'],
    ['s=up&action=dagent&b=web', 'NONE'],
  ])('%s: %s', (body, outcome) => {
    const reply = get('/stats;up;norefresh', {}, { method: 'POST', admin: true, body });
    expect([reply.status, reply.header('location')]).toEqual([303, `/stats;st=${outcome};up;norefresh`]);
    expect(reply.body).toBe('');
  });

  it.each([
    ['maint', 'MAINT'],
    ['drain', 'DRAIN'],
    ['hdown', 'DOWN'],
    ['hnolb', 'NOLB'],
    ['dhlth', 'no check'],
  ])('%s makes a server %s', (action, state) => {
    const { proxy } = get('/stats', {}, { method: 'POST', admin: true, body: `s=up&action=${action}&b=web` });
    const after = renderStats(
      proxy,
      { method: 'GET', uri: '/stats;csv', authorization: undefined, body: undefined, admin: false },
      SETTINGS,
      NOW,
    );
    expect(after.body).toMatch(new RegExp(`^web,up,(?:[^,]*,){15}${state},`, 'm'));
  });

  it('is denied to who is no admin, and refused when too large', () => {
    const body = 's=up&action=maint&b=web';
    const denied = get('/stats?scope=we', {}, { method: 'POST', body });
    expect([denied.header('location'), denied.servers.up!.admin]).toEqual([
      '/stats;st=DENY?scope=we',
      'ready',
    ]);
    expect(get('/stats', {}, { method: 'POST', admin: true }).header('location')).toBe('/stats;st=EXCD');
  });
});

describe('the page', () => {
  it('colours servers by state and has HAProxy’s anchors', () => {
    const { body } = get('/stats');
    for (const row of [
      'active_up" id="web/up',
      'active_going_down" id="web/falling',
      'active_going_up" id="web/rising',
      'active_down" id="web/down',
      'maintain" id="web/maint',
      'active_draining" id="web/drain',
      'active_draining" id="web/nolb',
      'active_no_check" id="web/plain',
      'backup_up" id="web/spare',
      'backend" id="web/Backend',
      'frontend" id="main/Frontend',
      'socket" id="main/+m1',
    ])
      expect(body).toContain(`<tr class="${row}"`);
    expect(body).toContain('id="web"');
  });

  it('escapes what servers and configurations say', () => {
    const { body } = get('/stats');
    expect(body).toContain('the &#60;front&#62; door');
    expect(body).toContain('Un&#60;b&#62;available');
    expect(body).not.toMatch(/<b>available|<front>/);
    expect(get('/stats?scope=%22%3E<script>').body).not.toContain('<script>');
  });

  it('offers the form to admins only', () => {
    expect(get('/stats', {}, { admin: true }).body).toMatch(
      /<form method="post">[\s\S]*name="s" value="up"[\s\S]*name="b" value="#3"/,
    );
    expect(get('/stats').body).not.toMatch(/method="post"|type="checkbox"/);
  });

  it('shows what the settings allow', () => {
    const shown = get('/stats').body!;
    expect(shown).toContain(VERSION);
    expect(shown).toContain(' on node1: the lab');
    expect(shown).toContain('class="legend"');
    const hidden = get('/stats', {
      hideVersion: true,
      showLegends: false,
      showNode: undefined,
      showDesc: undefined,
    }).body!;
    expect(hidden).not.toMatch(
      new RegExp(`${VERSION.replaceAll('.', '\\.')}|node1|the lab|class="legend"|127\\.0\\.0\\.1`),
    );
  });

  it('keeps the view in its links and tells how an action ended', () => {
    const { body } = get('/stats;st=PART;up?scope=we');
    expect(body).toContain('<a href="/stats;up;norefresh?scope=we">Disable refresh</a>');
    expect(body).toContain('<a href="/stats?scope=we">Show all servers</a>');
    expect(body).toContain('Action partially processed');
    expect(get('/stats;st=XXXX').body).not.toContain('class="message');
  });

  it('is latin1', () => {
    expect(get('/stats').body).toMatch(/^[\0-\xff]*$/);
  });

  it.each([
    [0, '0s'],
    [59, '59s'],
    [75, '1m15s'],
    [3600, '1h'],
    [97_200, '1d3h'],
  ])('%i seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

it('carries the version of package.json', () => {
  expect(VERSION).toBe(
    JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version,
  );
});
