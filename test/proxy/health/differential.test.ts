/** Every kind of check against every kind of server, over real sockets, beside Debian's HAProxy 2.6. */

import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Server as NetServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlarmClock } from '../../../src/proxy/alarm.ts';
import { startChecks } from '../../../src/proxy/health/checks.ts';
import type { Connection, Transport } from '../../../src/sockets/transport.ts';
import { needs } from '../../support/needs.ts';
import { type RunningProxy, startProxy } from '../../support/proxy.ts';
import { answers, kinds, written } from './cases.ts';
import { backendOf, proxyOf, proxySettings, type Script, serverSettings } from './fakes.ts';

const INTER = 2000;
const names = Object.keys(answers);

/**
 * HAProxy takes no notice of what a server said before it was asked, and a server that closes at once races with the
 * request; what a check makes of these depends on who is quicker.
 */
const RACES = new Set(['unwanted/ssh', 'regex/ssh', 'script/ssh', 'sendOnly/ssh']);

describe.skipIf(!needs('haproxy'))('checks beside HAProxy', () => {
  const ports: Record<string, number> = {};
  const servers: NetServer[] = [];
  const open = new Set<Socket>();
  let haproxy: RunningProxy;
  let theirs: Record<string, string> = {};
  let ours: Record<string, string> = {};

  beforeAll(async () => {
    for (const name of names) ports[name] = await serve(answers[name]!);
    haproxy = await startProxy(configuration(), { engine: 'haproxy' });
    // One after the other: the servers live in this process, and must not keep anyone waiting.
    theirs = await theirOutcomes(join(haproxy.folder, 'stats.sock'));
    ours = await ourOutcomes();
  }, 40_000);

  afterAll(async () => {
    await haproxy?.stop();
    for (const socket of open) socket.destroy();
    for (const server of servers) server.close();
  });

  it.each(Object.keys(kinds))('%s', (kind) => {
    const of = (outcomes: Record<string, string>) =>
      names
        .map((name) => `${kind}/${name}`)
        .filter((key) => !RACES.has(key))
        .map((key) => `${key}: ${outcomes[key]}`);
    expect(of(ours)).toEqual(of(theirs));
  });

  async function serve(script: Script): Promise<number> {
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
      if (script.greet !== undefined) socket.write(script.greet);
      socket.once('data', (bytes) => {
        const answer = script.answer?.(bytes.toString('latin1'));
        if (answer !== undefined) socket.write(answer, 'latin1');
        if (script.after === 'reset') socket.resetAndDestroy();
        else if (script.after === 'end') socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    // Nobody listens there any more, so that connections are refused.
    if (script.refuse === undefined) servers.push(server);
    else await new Promise((resolve) => server.close(resolve));
    return port;
  }

  function configuration(): string {
    const backends = Object.entries(written).map(([kind, lines]) =>
      [
        `backend ${kind}`,
        ...lines,
        ...names.map(
          (name) => `server ${name} 127.0.0.1:${ports[name]} check inter ${INTER}ms fall 1 rise 99`,
        ),
      ].join('\n  '),
    );
    return `global
  stats socket \${dir}/stats.sock level admin
defaults
  mode http
  timeout connect 1900ms
  timeout client 5s
  timeout server 5s
  timeout check 1500ms
frontend door
  bind 127.0.0.1:\${port:door}
${backends.join('\n')}
`;
  }

  /** `status code info` of each server once every first check is over. */
  async function theirOutcomes(socket: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (let tries = 0; tries < 200; tries++) {
      for (const row of csv(await ask(socket, 'show stat'))) {
        const key = `${row.pxname}/${row.svname}`;
        const status = row.check_status!;
        if (row.type !== '2' || found[key] !== undefined || /^(\* |INI|$)/.test(status)) continue;
        found[key] = `${status} ${row.check_code || 0} ${row.last_chk}`.trimEnd();
      }
      if (Object.keys(found).length === names.length * Object.keys(written).length) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('HAProxy did not end its first checks in 10 s');
  }

  function ourOutcomes(): Promise<Record<string, string>> {
    const backends = Object.entries(kinds).map(([kind, check]) =>
      backendOf(
        proxySettings(kind, {
          check: { type: 'tcp', disableOn404: false, sendState: false, tcpSteps: [], ...check } as never,
          timeouts: { connect: 1900, check: 1500 },
        }),
        names.map((name) => serverSettings(name, { port: ports[name], inter: INTER, fall: 1, rise: 99 })),
      ),
    );
    const found: Record<string, string> = {};
    return new Promise((resolve) => {
      const checks = startChecks(
        proxyOf({ backends }),
        netTransport,
        clock,
        ({ kind, server, status, code, info }) => {
          if (kind === 'check')
            found[`${server.backend.name}/${server.name}`] ??= `${status} ${code} ${info}`.trimEnd();
          if (Object.keys(found).length < names.length * backends.length) return;
          checks.stop();
          resolve(found);
        },
      );
    });
  }
});

const clock: AlarmClock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** As much of a transport over node:net as checks use. */
const netTransport = {
  connect(to, events) {
    const socket = dial(
      to.kind === 'tcp' ? { host: to.host, port: to.port, allowHalfOpen: true } : { path: to.path },
    );
    let left = false;
    const connection = {
      events,
      write: (bytes: Uint8Array, offset: number, length: number) => {
        socket.write(bytes.subarray(offset, offset + length));
        return length;
      },
      reset: () => {
        left = true;
        socket.resetAndDestroy();
      },
    } as unknown as Connection;
    const tell = (run: () => void) => () => {
      if (!left) run();
    };
    socket.on(
      'connect',
      tell(() => events.opened(connection)),
    );
    socket.on('data', (bytes) => tell(() => events.data(bytes))());
    socket.on(
      'end',
      tell(() => events.ended()),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => tell(() => events.closed(true, error.code))());
    return connection;
  },
} as Partial<Transport> as Transport;

function csv(text: string): Record<string, string>[] {
  const lines = text.trimEnd().split('\n');
  const columns = lines[0]!.slice(2).split(',');
  return lines
    .slice(1)
    .map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])));
}

function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = dial(path, () => socket.end(`${line}\n`));
    let text = '';
    socket.setEncoding('utf8').setTimeout(5000, () => socket.destroy(new Error(`no answer to '${line}'`)));
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
}
