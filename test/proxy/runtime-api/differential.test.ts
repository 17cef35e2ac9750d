/** What programs read from the runtime socket and from the statistics, beside Debian's HAProxy 2.6. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Counters, Frontend, type LiveProxy } from '../../../src/proxy/model.ts';
import { newSession, runCommand } from '../../../src/proxy/runtime-api/session.ts';
import { needs } from '../../support/needs.ts';
import { type RunningProxy, startProxy } from '../../support/proxy.ts';
import { backendOf, proxyOf, proxySettings, serverSettings } from '../health/fakes.ts';

const CONFIG = `
global
  stats socket \${dir}/admin.sock mode 600 level admin
  stats socket \${dir}/user.sock mode 600 level user
  maxconn 1000
  node here
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend main
  bind 127.0.0.1:\${port:main} name m1
  option socket-stats
  default_backend web
backend web
  balance roundrobin
  cookie SRV insert
  server up 127.0.0.1:\${port:main} check inter 60s weight 10 cookie ca
  server plain 127.0.0.1:\${port:main} weight 20 backup
  server maint 127.0.0.1:\${port:main} disabled
listen tcpx
  mode tcp
  bind 127.0.0.1:\${port:tcp}
  server t 127.0.0.1:\${port:main} check inter 60s maxconn 9
`;

describe.skipIf(!needs('haproxy'))('beside HAProxy', () => {
  let haproxy: RunningProxy;
  let ours: LiveProxy;
  const theirs = (line: string, level = 'admin'): Promise<string> =>
    ask(join(haproxy.folder, `${level}.sock`), line);
  const mine = (line: string, level: 'admin' | 'user' = 'admin'): string =>
    runCommand(line, newSession(level), ours);

  beforeAll(async () => {
    haproxy = await startProxy(CONFIG, { engine: 'haproxy' });
    ours = twin(haproxy.ports.main!);
    await until(async () => /web,up,.*L4OK/.test(await theirs('show stat')));
  }, 30_000);
  afterAll(() => haproxy?.stop());

  it('has the same CSV header', async () => {
    expect(mine('show stat').split('\n')[0]).toBe((await theirs('show stat')).split('\n')[0]);
  });

  it('has the same fields with the same tags and types for each kind of row', async () => {
    const shape = (text: string): Record<string, string[]> => {
      const rows: Record<string, string[]> = {};
      for (const line of text.trim().split('\n')) {
        const [place, tags, type] = line.split(':');
        const [kind, proxyId, id, ...field] = place!.split('.');
        const row = `${kind}.${proxyId}.${id}`;
        rows[row] ??= [];
        rows[row].push(`${field.join('.')}:${tags}:${type}`);
      }
      return rows;
    };
    expect(shape(mine('show stat typed'))).toEqual(shape(await theirs('show stat typed')));
  });

  it('has the same values where nothing happened yet', async () => {
    const still = (text: string): string[] =>
      csv(text).map((row) => STILL.map((name) => `${name}=${row[name]}`).join(' '));
    expect(still(mine('show stat'))).toEqual(still(await theirs('show stat')));
    expect(still(mine('show stat', 'user'))).toEqual(still(await theirs('show stat', 'user')));
  });

  it('has the same names in show info, typed too', async () => {
    const names = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0]!);
    expect(names(mine('show info'))).toEqual(names(await theirs('show info')));
    const tags = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(':').slice(0, 3).join(':'));
    expect(tags(mine('show info typed'))).toEqual(tags(await theirs('show info typed')));
  });

  it('has the same JSON structure', async () => {
    const first = (text: string): object => JSON.parse(text)[0];
    const structure = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([key, each]) => [key, structure(each)])
        : typeof value;
    for (const line of ['show info json', 'show stat json']) {
      const [a, b] = [first(mine(line)), first(await theirs(line))];
      expect(structure(Array.isArray(a) ? a[0] : a)).toEqual(structure(Array.isArray(b) ? b[0] : b));
    }
  });

  it('tells the state of servers alike', async () => {
    // The time of the last change differs; so may a check that is under way just now.
    const rows = (text: string): string[] => text.replace(/^((?:\S+ ){9})\d+ /gm, '$1T ').split('\n');
    expect(rows(mine('show servers state web'))).toEqual(rows(await theirs('show servers state web')));
  });

  it.each([
    'show backend',
    'show cli level',
    'show env NOT_THERE_AT_ALL',
    'show servers state nope',
    'get weight web/up',
    'get weight web/nope',
    'get weight nope/up',
    'get weight web',
    'set server',
    'set server web/up',
    'set server web/up foo',
    'set server web/up state',
    'set server web/up state foo',
    'set server web/up health foo',
    'set server web/up addr foo',
    'set server web/up addr 127.0.0.1',
    'set server web/up agent up',
    'set server web/up agent-port 3',
    'set server web/up check-port x',
    'set server web/plain check-port 99',
    'set server web/up fqdn foo',
    'set server web/up ssl on',
    'set weight web/up',
    'set weight web/up 300',
    'set weight web/up -3%',
    'set weight web/up -3',
    'set weight web/up x',
    'set weight web/up %',
    'set weight web/up 5x',
    'set maxconn server web/up',
    'set maxconn server web/up x',
    'set maxconn server web/up 5x',
    'set maxconn frontend',
    'set maxconn frontend main',
    'set maxconn frontend main -1',
    'set maxconn frontend nope 1',
    'set maxconn global',
    'set maxconn global 500000',
    'set timeout',
    'set timeout cli',
    'set timeout cli foo',
    'set timeout cli 5s',
    'disable server web',
    'disable frontend',
    'disable frontend nope',
    'enable frontend main',
    'shutdown frontend nope',
    'shutdown session 0x1',
    'shutdown session',
    'shutdown sessions server web/up',
    'enable health web/plain',
    'enable agent web/up',
    'disable agent web/up',
    'clear counters foo',
    'show cli level; show cli level',
    'user; show cli level',
    'prompt',
    'set\\ server',
  ])('%s', async (line) => {
    const withoutHelp = (text: string): string => text.replace(/^ {2}.*\n/gm, '');
    expect(withoutHelp(mine(line))).toBe(withoutHelp(await theirs(line)));
  });

  it.each([
    'disable server web/up',
    'set server web/up',
    'show env',
    'show sess',
    'show errors',
    'clear counters',
    'operator',
    'set timeout cli 5',
  ])('a user: %s', async (line) => {
    expect(mine(line, 'user')).toBe(await theirs(line, 'user'));
  });

  it('goes through the same states', async () => {
    const lines = [
      'set server web/plain state drain',
      'set server web/plain state maint',
      'set server web/plain state ready',
      'set weight web/plain 0',
      'set server web/plain health stopping',
      'set server web/plain health down',
      'set server web/plain health up',
      'set weight web/plain 50%',
      'set weight web/plain 300%',
      'set server web/up state maint',
      'set server web/up state ready',
      'set server web/up state drain',
      'set server web/up health up',
      'disable health web/up',
      'set server web/up health down',
      'set maxconn server web/up 5',
      'disable frontend main',
      'enable frontend main',
      'set maxconn frontend main 7',
      'set server web/up addr 127.0.0.2 port 99',
    ];
    const names = ['svname', 'status', 'weight', 'uweight', 'act', 'bck', 'slim', 'addr'];
    const state = (text: string): string[] =>
      csv(text).map((row) => names.map((name) => row[name]).join(' '));
    for (const line of lines) {
      const answers = [mine(line), await theirs(line)];
      expect([line, answers[0]]).toEqual([line, answers[1]]);
      expect([line, state(mine('show stat'))]).toEqual([line, state(await theirs('show stat'))]);
    }
  }, 20_000);
});

/** Columns whose values do not depend on time and traffic. */
const STILL =
  'pxname svname qcur qmax slim dreq dresp ereq econ status weight act bck chkfail chkdown qlimit pid iid sid throttle lbtot tracked type rate_lim check_status check_code hanafail cli_abrt lastsess last_chk check_desc check_rise check_fall check_health addr cookie mode algo uweight'.split(
    ' ',
  );

function csv(text: string): Record<string, string>[] {
  const lines = text.trimEnd().split('\n');
  const names = lines[0]!.slice(2).split(',');
  return lines
    .slice(1)
    .map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], value])));
}

/** The same configuration as objects. */
function twin(port: number): LiveProxy {
  const main = new Frontend(proxySettings('main', { kind: 'frontend', id: 2, defaultBackend: 'web' }), 1000);
  const bind = { endpoint: { kind: 'tcp', host: '127.0.0.1', port } } as never;
  main.listeners.push({ id: 1, name: 'm1', bind, counters: new Counters() });
  const web = backendOf(proxySettings('web', { id: 3, cookie: { name: 'SRV' } as never }), [
    serverSettings('up', { port, weight: 10, cookie: 'ca' }),
    serverSettings('plain', { port, weight: 20, backup: true, check: false }),
    serverSettings('maint', { port, check: false, disabled: true }),
  ]);
  const listen = proxySettings('tcpx', { kind: 'listen', id: 4, mode: 'tcp' });
  const tcp = backendOf(listen, [serverSettings('t', { port, maxconn: 9 })]);
  // HAProxy spreads the first two checks over the minute: only the first one was made.
  web.servers[0]!.health = 4;
  Object.assign(web.servers[0]!.check, { status: 'L4OK', duration: 0 });
  const proxy = proxyOf(
    { frontends: [main, new Frontend(listen, 1000)], backends: [web, tcp] },
    { node: 'here' },
  );
  proxy.configuration.proxies.splice(0, 3, main.settings, web.settings, listen);
  return proxy;
}

function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.end(`${line}\n`));
    let text = '';
    socket.setEncoding('utf8').setTimeout(5000, () => socket.destroy(new Error(`no answer to '${line}'`)));
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('HAProxy did not get there in 5 s');
}
