/** Commands that change frontends, limits, counters and the session itself. */
import { parseDuration } from '../../config/cursor.ts';
import { type CommandRow, findFrontend, type Level, refuse } from './command.ts';

export const PROCESS_COMMANDS: readonly CommandRow[] = [
  {
    keyword: 'disable frontend',
    usage: 'disable frontend <frontend>',
    doc: 'temporarily disable specific frontend',
    level: 'admin',
    run([name], { proxy }) {
      const frontend = findFrontend(proxy, name);
      if (frontend.state === 'STOP') refuse('Frontend was previously shut down, cannot disable.\n');
      if (frontend.state === 'PAUSED') refuse('All sockets are already disabled.\n');
      frontend.setState('PAUSED');
      return '';
    },
  },
  {
    keyword: 'enable frontend',
    usage: 'enable frontend <frontend>',
    doc: 're-enable specific frontend',
    level: 'admin',
    run([name], { proxy }) {
      const frontend = findFrontend(proxy, name);
      if (frontend.state === 'STOP') refuse('Frontend was previously shut down, cannot enable.\n');
      if (frontend.state === 'OPEN') refuse('All sockets are already enabled.\n');
      frontend.setState('OPEN');
      return '';
    },
  },
  {
    keyword: 'shutdown frontend',
    usage: 'shutdown frontend <frontend>',
    doc: 'stop a specific frontend',
    level: 'admin',
    run([name], { proxy }) {
      const frontend = findFrontend(proxy, name);
      if (frontend.state === 'STOP') refuse('Frontend was already shut down.\n');
      frontend.setState('STOP');
      return '';
    },
  },
  {
    keyword: 'set maxconn frontend',
    usage: 'set maxconn frontend <frontend> <value>',
    doc: "change a frontend's maxconn setting",
    level: 'admin',
    run([name, value], { proxy }) {
      const frontend = findFrontend(proxy, name);
      if (value === undefined) refuse('Integer value expected.\n');
      frontend.maxconn = limit(value, Number.MAX_SAFE_INTEGER);
      return '';
    },
  },
  {
    keyword: 'set maxconn global',
    usage: 'set maxconn global <value>',
    doc: 'change the per-process maxconn setting',
    level: 'admin',
    run([value], { proxy }) {
      if (value === undefined) refuse('Expects an integer value.\n');
      proxy.maxconn = limit(value, proxy.hardMaxconn) || proxy.hardMaxconn;
      return '';
    },
  },
  {
    keyword: 'set timeout',
    usage: 'set timeout [cli] <delay>',
    doc: 'change a timeout setting',
    run([what, value], { session }) {
      if (what !== 'cli') refuse("'set timeout' only supports 'cli'.\n");
      if (value === undefined) refuse('Expects an integer value.\n');
      session.timeout = parseDuration(value, 's') ?? refuse('Invalid timeout value.\n');
      return '';
    },
  },
  {
    keyword: 'clear counters',
    usage: 'clear counters [all]',
    doc: 'clear max statistics counters (or all counters)',
    level: 'operator',
    run([what], { proxy, session }) {
      const all = what === 'all';
      if (all && session.level !== 'admin') refuse('Permission denied\n');
      const servers = proxy.backends.flatMap((backend) => backend.servers);
      const listeners = proxy.frontends.flatMap((frontend) => frontend.listeners);
      for (const { counters } of [...proxy.frontends, ...proxy.backends, ...servers, ...listeners])
        if (all) counters?.clear();
        else counters?.clearMax();
      if (all)
        for (const { check } of servers) Object.assign(check, { failures: 0, downs: 0, observedFailures: 0 });
      if (all) for (const backend of proxy.backends) backend.downs = 0;
      for (const rate of ['connectionRate', 'sessionRate', 'requestRate'] as const)
        proxy.totals[rate].max = 0;
      return '';
    },
  },
  {
    keyword: 'shutdown session',
    usage: 'shutdown session [id]',
    doc: 'kill a specific session',
    level: 'admin',
    run([id], { proxy }) {
      if (id === undefined) refuse("Session pointer expected (use 'show sess').\n");
      const found = [...proxy.sessions()].find((session) => session.id === id);
      (found ?? refuse("No such session (use 'show sess').\n")).shutdown();
      return '';
    },
  },
  lowering('operator', 'operator'),
  lowering('user'),
];

/** A command that lowers the session's level, never raises it. */
function lowering(to: Level, level?: CommandRow['level']): CommandRow {
  return {
    keyword: to,
    doc: `lower the level of the current CLI session to ${to}`,
    level,
    run(_, { session }) {
      session.level = to;
      return '';
    },
  };
}

function limit(text: string, most: number): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : 0;
  if (value < 0 || value > most) refuse('Value out of range.\n');
  return value;
}
