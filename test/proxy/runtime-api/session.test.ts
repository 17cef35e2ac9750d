import { describe, expect, it } from 'vitest';
import type { LiveSession } from '../../../src/proxy/model.ts';
import type { Level } from '../../../src/proxy/runtime-api/command.ts';
import { COMMANDS, newSession, runCommand, splitLine } from '../../../src/proxy/runtime-api/session.ts';
import { sample } from '../stats/sample.ts';

function lab(level: Level = 'admin') {
  const { proxy, servers } = sample();
  const session = newSession(level);
  return { proxy, servers, session, ask: (line: string) => runCommand(line, session, proxy) };
}

/** The text of an answer, without the empty line after it. */
const told = (text: string) => text.replace(/\n$/, '');

describe('answers, as HAProxy 2.6 words them', () => {
  it.each([
    ['get weight web/up', '10 (initial 10)\n'],
    ['get weight web/nope', 'No such server.\n'],
    ['get weight nope/up', 'No such backend.\n'],
    ['get weight web', "Require 'backend/server'.\n"],
    ['set server', "Require 'backend/server'.\n"],
    [
      'set server web/up',
      'usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | ssl | state | weight\n',
    ],
    ['set server web/up state', "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n"],
    ['set server web/up health foo', "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n"],
    ['set server web/up addr foo', "Invalid addr 'foo' by 'stats socket command'\n"],
    [
      'set server web/up addr 127.0.0.2',
      "IP changed from '127.0.0.1' to '127.0.0.2' by 'stats socket command'\n",
    ],
    [
      'set server web/up addr 127.0.0.1 port 99',
      "no need to change the addr, port changed from '80' to '99' by 'stats socket command'\n",
    ],
    [
      'set server web/up addr 127.0.0.1 port 80',
      "no need to change the addr, no need to change the port by 'stats socket command'\n",
    ],
    ['set server web/up agent up', 'agent checks are not enabled on this server.\n'],
    ['set server web/plain check-port 99', 'health checks are not enabled on this server'],
    ['set server web/up check-port x', 'provided port is not an integer'],
    ['set weight web/up', 'Require <weight> or <weight%>.\n'],
    ['set weight web/up 300', 'Absolute weight can only be between 0 and 256 inclusive.\n'],
    ['set weight web/up -3%', 'Relative weight must be positive.\n'],
    ['set weight web/up x', 'Empty weight string empty or preceded by garbage'],
    ['set weight web/up %', 'Empty weight string empty or preceded by garbage'],
    ['set weight web/up 5x', 'Trailing garbage in weight string'],
    ['disable frontend', 'A frontend name is expected.\n'],
    ['disable frontend nope', 'No such frontend.\n'],
    ['enable frontend main', 'All sockets are already enabled.\n'],
    ['enable health web/plain', 'Health check was not configured on this server, cannot enable.\n'],
    ['enable agent web/up', 'Agent was not configured on this server, cannot enable.\n'],
    ['set maxconn server web/up', 'Require <maxconn>.\n'],
    ['set maxconn server web/up x', 'maxconn string empty or preceded by garbage'],
    ['set maxconn frontend', 'A frontend name is expected.\n'],
    ['set maxconn frontend main', 'Integer value expected.\n'],
    ['set maxconn global', 'Expects an integer value.\n'],
    ['set maxconn global 5000', 'Value out of range.\n'],
    ['set timeout', "'set timeout' only supports 'cli'.\n"],
    ['set timeout cli', 'Expects an integer value.\n'],
    ['set timeout cli foo', 'Invalid timeout value.\n'],
    ['shutdown session 0x1', "No such session (use 'show sess').\n"],
    ['show servers state nope', "Can't find backend.\n"],
    ['show env LABLB_NOT_THERE', 'Variable not found\n'],
    ['show cli level', 'admin\n'],
    ['show backend', '# name\nweb\ntcpx\n'],
    ['# a comment', ''],
  ])('%s', (line, answer) => {
    expect(lab().ask(line)).toBe(`${answer}\n`);
  });
});

describe('what changes', () => {
  it('state, health and weight of servers', () => {
    const { ask, servers } = lab();
    const { up } = servers;
    for (const [line, read, expected] of [
      ['set server web/up state drain', () => up!.admin, 'drain'],
      ['disable server web/up', () => up!.admin, 'maint'],
      ['enable server web/up', () => up!.admin, 'ready'],
      ['set server web/up health down', () => [up!.up, up!.health], [false, 0]],
      ['set server web/up health stopping', () => [up!.up, up!.stopping], [true, true]],
      ['set server web/up health up', () => [up!.up, up!.stopping, up!.health], [true, false, 4]],
      ['set server web/up weight 50%', () => up!.weight, 5],
      ['set weight web/up 300%', () => up!.weight, 30],
      ['set weight web/up 0', () => up!.weight, 0],
      ['set maxconn server web/up 7', () => up!.maxconn, 7],
      ['set maxconn server web/up 0', () => up!.maxconn, undefined],
      ['disable health web/up', () => up!.check.enabled, false],
      ['enable health web/up', () => up!.check.enabled, true],
      ['set server web/up check-port 99', () => up!.check.port, 99],
      [
        'set server web/up check-addr 127.0.0.9 port 98',
        () => [up!.check.address, up!.check.port],
        ['127.0.0.9', 98],
      ],
      ['set server web/up addr ::1 port 99', () => [up!.address, up!.port], ['::1', 99]],
    ] as const) {
      ask(line);
      expect([line, read()]).toEqual([line, expected]);
    }
  });

  it('keeps weights that a hash was laid out with', () => {
    const { ask, servers } = lab();
    servers.up!.backend.settings.balance.algorithm = 'source';
    expect(ask('set weight web/up 5')).toMatch(/^Backend is using a static LB algorithm/);
    expect(ask('set weight web/up 0%')).toBe('\n');
  });

  it('tells the backend what changed', () => {
    const { ask, servers } = lab();
    const changes: string[] = [];
    servers.up!.backend.watchers.push((server, change) => changes.push(`${server.name} ${change}`));
    ask('disable server web/up; enable server web/up; set weight web/up 3; set server web/up health down');
    expect(changes).toEqual(['up maint', 'up ready', 'up weight', 'up down']);
  });

  it('pauses, resumes and stops frontends', () => {
    const { ask, proxy } = lab();
    const states: string[] = [];
    proxy.frontends[0]!.watchers.push((frontend) => states.push(frontend.state));
    expect(ask('disable frontend main')).toBe('\n');
    expect(ask('disable frontend main')).toBe('All sockets are already disabled.\n\n');
    ask('enable frontend main; shutdown frontend main');
    expect(ask('shutdown frontend main')).toBe('Frontend was already shut down.\n\n');
    expect(ask('enable frontend main')).toBe('Frontend was previously shut down, cannot enable.\n\n');
    expect(ask('disable frontend main')).toBe('Frontend was previously shut down, cannot disable.\n\n');
    expect(states).toEqual(['PAUSED', 'OPEN', 'STOP']);
  });

  it('sets limits and timeouts', () => {
    const { ask, proxy, session } = lab();
    ask('set maxconn global 500; set maxconn frontend main 5; set timeout cli 5s');
    expect([proxy.maxconn, proxy.frontends[0]!.maxconn, session.timeout]).toEqual([500, 5, 5000]);
    ask('set timeout cli 7; set maxconn global 0');
    expect([proxy.maxconn, session.timeout]).toEqual([2000, 7000]);
  });

  it('clears counters: the highest ones, or all but what is going on', () => {
    const { ask, servers } = lab();
    const { counters, check } = servers.up!;
    check.failures = 3;
    ask('clear counters');
    expect([counters.smax, counters.scur, counters.stot, check.failures]).toEqual([3, 3, 1_234_567, 3]);
    ask('clear counters all');
    expect([counters.smax, counters.scur, counters.stot, counters.lastSession, counters.ttime.value]).toEqual(
      [3, 3, 0, -1, 0],
    );
    expect(check.failures).toBe(0);
  });

  it('lists and ends sessions', () => {
    const { ask, proxy, servers } = lab();
    const ended: string[] = [];
    const session = (id: string, server = servers.up): LiveSession => ({
      id,
      protocol: 'tcpv4',
      source: '127.0.0.1:5555',
      frontend: proxy.frontends[0]!,
      backend: server?.backend,
      server,
      startedAt: Date.now() - 5500,
      shutdown: () => ended.push(id),
    });
    proxy.sessions = () => [session('0x1'), session('0x2', servers.down)];
    expect(ask('show sess')).toBe(
      '0x1: proto=tcpv4 src=127.0.0.1:5555 fe=main be=web srv=up age=5s\n0x2: proto=tcpv4 src=127.0.0.1:5555 fe=main be=web srv=down age=5s\n\n',
    );
    ask('shutdown sessions server web/up');
    ask('shutdown session 0x2');
    expect(ended).toEqual(['0x1', '0x2']);
  });
});

describe('levels', () => {
  it.each([
    ['user', 'set server web/up state maint'],
    ['user', 'show env'],
    ['user', 'show sess'],
    ['user', 'clear counters'],
    ['user', 'operator'],
    ['operator', 'disable server web/up'],
    ['operator', 'clear counters all'],
  ] as const)('%s may not %s', (level, line) => {
    const { ask, servers } = lab(level);
    expect(ask(line)).toBe('Permission denied\n\n');
    expect(servers.up!.admin).toBe('ready');
  });

  it('goes down and never up', () => {
    const { ask } = lab();
    expect(ask('operator; show cli level; user; show cli level; operator; show cli level')).toBe(
      '\noperator\n\n\nuser\n\nPermission denied\n\nuser\n\n',
    );
  });

  it('keeps addresses from users', () => {
    expect(lab('user').ask('show stat')).not.toContain('127.0.0.1');
    expect(lab('operator').ask('show stat')).toContain('127.0.0.1:80');
  });
});

describe('lines', () => {
  it('takes several commands, and blanks and semicolons after a backslash', () => {
    expect(splitLine('  a  b\\ c ;d\\;e\tf\r')).toEqual([
      ['a', 'b c'],
      ['d;e', 'f'],
    ]);
    expect(splitLine('a;')).toEqual([['a'], []]);
  });

  it('prompts once asked to, and ends with quit', () => {
    const { ask, session } = lab();
    expect(ask('prompt')).toBe('\n> ');
    expect(ask('show cli level')).toBe('admin\n\n> ');
    expect(ask('show cli level; quit; show backend')).toBe('admin\n\n> ');
    expect(session.over).toBe(true);
  });

  it('suggests commands', () => {
    const { ask } = lab();
    expect(ask('show sta')).toMatch(
      /^Unknown command, but maybe one of the following ones is a better match:\n {2}show stat \[desc[^\n]*\n {2}help/,
    );
    expect(ask('set servr web/up')).toContain('  set server <bk>/<srv> [opts]            : change');
    expect(ask('')).toMatch(/^Unknown command. Please enter one of the following commands only:\n/);
    expect(ask('help').split('\n').length).toBe(COMMANDS.length + 3);
    expect(ask('help set maxconn').match(/^ {2}set/gm)).toHaveLength(3);
    expect(ask('show table')).toBe("'show table' is not supported yet.\n\n");
  });
});

describe('show', () => {
  it('selects rows by proxy, kind and number', () => {
    const names = (line: string) =>
      told(lab().ask(line))
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',').slice(0, 2).join('/'));
    expect(names('show stat 3 4 2')).toEqual(['web/falling']);
    expect(names('show stat tcpx 7 -1')).toEqual(['tcpx/FRONTEND', 'tcpx/t', 'tcpx/BACKEND']);
    expect(names('show stat -1 1 -1')).toEqual(['main/FRONTEND', 'tcpx/FRONTEND']);
    expect(names('show stat no-maint')).not.toContain('web/maint');
    expect(names('show stat up')).not.toContain('web/down');
  });

  it('gives statistics and information typed and as JSON', () => {
    const { ask } = lab();
    expect(ask('show stat typed desc')).toMatch(/^F\.2\.0\.0\.pxname\.1:KNS:str:main:"Name of the proxy"\n/);
    expect(ask('show info typed')).toMatch(/^15\.Maxconn\.1:CLP:u32:1000$/m);
    expect(ask('show info')).toMatch(/^Uptime: \d+d \d+h\d\dm\d\ds$/m);
    expect(JSON.parse(ask('show info json'))[0].value).toEqual({ type: 'str', value: 'lablb-proxy' });
    expect(JSON.parse(ask('show stat json'))).toHaveLength(15);
    expect(JSON.parse(ask('show schema json')).oneOf).toHaveLength(2);
  });

  it('tells the state of servers in numbers', () => {
    const lines = lab().ask('show servers state web').split('\n');
    expect(lines[0]).toBe('1');
    const [be, beName, id, name, addr, op, admin] = lines[6]!.split(' ');
    expect([be, beName, id, name, addr, op, admin]).toEqual([
      '3',
      'web',
      '5',
      'maint',
      '127.0.0.1',
      '0',
      '5',
    ]);
    expect(lines[7]!.split(' ').slice(3, 7)).toEqual(['drain', '127.0.0.1', '2', '8']);
    expect(lines[8]!.split(' ').slice(3, 7)).toEqual(['nolb', '127.0.0.1', '3', '0']);
    expect(lines[5]!.split(' ').slice(10, 14)).toEqual(['17', '2', '0', '6']);
  });
});
