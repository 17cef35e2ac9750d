import { Counters, Frontend, type LiveProxy, type Server } from '../../../src/proxy/model.ts';
import type { StatsSettings } from '../../../src/proxy/settings.ts';
import { backendOf, proxyOf, proxySettings, serverSettings } from '../health/fakes.ts';

export const NOW = 1_800_000_000_000;

/** A frontend `main` with a listener, a backend `web` with servers in every state, a listen `stats`, a TCP listen. */
export function sample(): { proxy: LiveProxy; servers: Record<string, Server> } {
  const web = backendOf(proxySettings('web', { id: 3, cookie: { name: 'SRV' } as never }), [
    serverSettings('up', { cookie: 'ca', weight: 10 }),
    serverSettings('falling', { port: 81 }),
    serverSettings('rising', { port: 82 }),
    serverSettings('down', { port: 83, observe: 'layer7' }),
    serverSettings('maint', { port: 84, disabled: true }),
    serverSettings('drain', { port: 85 }),
    serverSettings('nolb', { port: 86 }),
    serverSettings('plain', { port: 87, check: false }),
    serverSettings('spare', { port: 88, backup: true, maxconn: 20 }),
  ]);
  const servers = Object.fromEntries(web.servers.map((server) => [server.name, server]));
  setCheck(servers.up!, 4, 'L7OK', 200, '');
  setCheck(servers.falling!, 3, 'L4CON', 0, 'Connection refused');
  servers.rising!.setUp(false);
  setCheck(servers.rising!, 1, 'L7OK', 200, '');
  servers.down!.setUp(false);
  setCheck(servers.down!, 0, 'L7STS', 503, 'Service "Un<b>available", sorry');
  servers.drain!.setAdmin('drain');
  setCheck(servers.drain!, 4, 'L4OK', 0, '');
  servers.nolb!.setStopping();
  setCheck(servers.nolb!, 4, 'L7OKC', 404, '');
  setCheck(servers.spare!, 4, 'L4OK', 0, '');
  for (const { counters } of [servers.up!, web]) {
    Object.assign(counters, {
      scur: 3,
      smax: 12,
      stot: 1_234_567,
      bin: 1e6,
      bout: 2e9,
      hrsp2xx: 1_234_500,
      hrsp5xx: 67,
    });
    Object.assign(counters, {
      lbtot: 1_234_567,
      reqTot: 1_234_567,
      connect: 40,
      reuse: 99,
      cliAbrt: 2,
      econ: 5,
      wretr: 1,
    });
    counters.ttime.add(120);
    counters.lastSession = NOW / 1000 - 75;
  }
  for (const each of [web, ...web.servers]) each.changedAt = NOW - 3_700_000;

  const main = new Frontend(
    proxySettings('main', {
      kind: 'frontend',
      id: 2,
      defaultBackend: 'web',
      description: 'the <front> door',
    }),
    1000,
  );
  const bind = { endpoint: { kind: 'tcp', host: '127.0.0.1', port: 8080 } } as never;
  main.listeners.push({ id: 1, name: 'm1', bind, counters: new Counters() }, { id: 2, name: 'silent', bind });
  Object.assign(main.counters, {
    scur: 5,
    smax: 40,
    stot: 1_234_600,
    bin: 1e6,
    bout: 2e9,
    hrsp2xx: 1_234_500,
    dreq: 7,
  });
  for (let i = 0; i < 42; i++) main.counters.rate.add(NOW);
  const listen = proxySettings('tcpx', { kind: 'listen', id: 5, mode: 'tcp' });
  const tcp = backendOf(listen, [serverSettings('t', { port: 90 })]);
  tcp.servers[0]!.setUp(false);
  tcp.servers[0]!.health = 0;
  tcp.changedAt = NOW - 5000;
  const proxy = proxyOf(
    { frontends: [main, new Frontend(listen, 2000)], backends: [web, tcp] },
    { node: 'node1', description: 'the lab' },
  );
  Object.assign(proxy, { startedAt: NOW - 90_061_000 });
  proxy.configuration.proxies.splice(0, 3, main.settings, web.settings, listen);
  return { proxy, servers };
}

function setCheck(server: Server, health: number, status: string, code: number, description: string): void {
  server.health = health;
  Object.assign(server.check, { status, code, description, duration: 3 });
}

export const SETTINGS: StatsSettings = {
  enabled: true,
  uri: '/stats',
  realm: 'HAProxy Statistics',
  refresh: 10,
  auth: [],
  admin: [],
  httpRequest: [],
  scope: [],
  hideVersion: false,
  showLegends: true,
  showNode: '',
  showDesc: '',
};
