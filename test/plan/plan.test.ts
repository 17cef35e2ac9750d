import { describe, expect, it } from 'vitest';
import { coloursFor } from '../../src/cli/colours.ts';
import { planLines } from '../../src/cli/lab-lines.ts';
import { EXIT } from '../../src/errors.ts';
import type { Desired, DesiredNode } from '../../src/plan/desired.ts';
import { makePlan, refuseForeign } from '../../src/plan/plan.ts';
import type { ObservedNode } from '../../src/providers/provider.ts';

const web: DesiredNode = {
  name: 'web1',
  role: 'web',
  packages: [],
  files: [
    { path: '/etc/hosts', sha256: 'h1' },
    { path: '/page', sha256: 'p1' },
  ],
  services: [{ name: 'web', revision: 'r1', watch: ['/etc/unit'], onChange: 'restart', logs: [] }],
  after: [],
  about: '',
  family: 'embedded',
  root: '',
  ports: [],
};
const proxy: DesiredNode = {
  ...web,
  name: 'proxyha',
  role: 'proxy',
  after: ['web1'],
  files: [{ path: '/etc/haproxy/haproxy.cfg', sha256: 'c1' }],
  services: [
    {
      name: 'proxy',
      revision: 'r1',
      watch: ['/etc/haproxy/haproxy.cfg'],
      onChange: 'reload',
      logs: [],
      main: true,
    },
  ],
};
const desired: Desired = { lab: 'x', provider: 'local', nodes: [web, proxy] };

function seen(node: DesiredNode, change: Partial<ObservedNode> = {}): ObservedNode {
  const hashes = new Map(node.files.map((file) => [file.path, file.sha256]));
  return {
    state: 'running',
    packages: new Set(),
    services: new Map(
      node.services.map(({ name, revision }) => [name, { running: true, enabled: true, revision }]),
    ),
    files: hashes,
    pushed: hashes,
    ...change,
  };
}

function planOf(nodes: Record<string, ObservedNode>, options = {}): string[] {
  return makePlan(desired, { nodes: new Map(Object.entries(nodes)) }, options).steps.map(
    (step) => `${step.id}: ${step.why}`,
  );
}

it('says what a new node is made with', () => {
  const settings = {
    profiles: 'default,macvlan',
    'config limits.cpu': '2',
    'device http': 'proxy connect=tcp:127.0.0.1:80 listen=tcp:0.0.0.0:80',
  };
  const nodes = [{ ...web, image: 'images:debian/12', settings }];
  const plan = makePlan({ ...desired, nodes }, { nodes: new Map() });
  expect(planLines(plan, coloursFor(process.stdout, {})).join('\n')).toContain(
    'create (images:debian/12, profiles default,macvlan, config limits.cpu 2, device http)  because',
  );
});

describe('makePlan', () => {
  it('says why a file is another, where there is more to say', () => {
    const files = new Map([['/etc/haproxy/haproxy.cfg', 'c0']]);
    const reasons = new Map([['/etc/haproxy/haproxy.cfg', 'it ends in 12 days']]);
    const old = { web1: seen(web), proxyha: seen(proxy, { files, pushed: files }) };
    expect(planOf(old, { reasons })).toEqual(
      [
        'proxyha:push:/etc/haproxy/haproxy.cfg: it ends in 12 days',
        expect.stringContaining('proxyha:reload:proxy'),
      ].slice(0, 1),
    );
    const byHand = { web1: seen(web), proxyha: seen(proxy, { files }) };
    expect(planOf(byHand, { reasons })[0]).toContain('it was changed by hand');
  });

  it('has nothing to do when all is as it should be', () => {
    expect(planOf({ web1: seen(web), proxyha: seen(proxy) })).toEqual([]);
  });

  it('makes what is not there, in order', () => {
    expect(planOf({ proxyha: seen(proxy) })).toEqual([
      'web1:create: it is not there',
      'web1:push:/etc/hosts: the node is new',
      'web1:push:/page: the node is new',
      'web1:start:web: it is not there yet',
    ]);
  });

  it('starts one that does not run, and guesses nothing of what it holds', () => {
    const stopped = seen(web, {
      state: 'stopped',
      files: new Map(),
      services: new Map(),
      packages: new Set(),
    });
    expect(planOf({ web1: stopped, proxyha: seen(proxy) })).toEqual(['web1:start: it is not running']);
  });

  it.each([
    ['changed by hand', 'x', 'h1', 'it was changed by hand'],
    ['removed by hand', undefined, 'h1', 'it was removed by hand'],
    ['of an older topology', 'h0', 'h0', 'its content follows the topology, which changed'],
    ['not written yet', undefined, undefined, 'it is not there yet'],
  ])('tells a file that is %s', (_, now, pushed, why) => {
    const map = (hash?: string) =>
      new Map([['/page', 'p1'], ...(hash ? [['/etc/hosts', hash] as const] : [])] as const);
    expect(
      planOf({ web1: seen(web, { files: map(now), pushed: map(pushed) }), proxyha: seen(proxy) }),
    ).toEqual([`web1:push:/etc/hosts: ${why}`]);
  });

  it('writes a changed page without touching the service', () => {
    const files = new Map([
      ['/etc/hosts', 'h1'],
      ['/page', 'p0'],
    ]);
    expect(planOf({ web1: seen(web, { files, pushed: files }), proxyha: seen(proxy) })).toHaveLength(1);
  });

  it('reloads for a changed configuration, and names it', () => {
    const files = new Map([['/etc/haproxy/haproxy.cfg', 'c0']]);
    const services = new Map([['proxy', { running: true, enabled: true, revision: 'r0' }]]);
    expect(planOf({ web1: seen(web), proxyha: seen(proxy, { files, pushed: files, services }) })).toEqual([
      'proxyha:push:/etc/haproxy/haproxy.cfg: its content follows the topology, which changed',
      'proxyha:reload:proxy: haproxy.cfg changed',
    ]);
  });

  it('does not reload for a file that is put back as the service has it', () => {
    const files = new Map([['/etc/haproxy/haproxy.cfg', 'edited']]);
    const pushed = new Map([['/etc/haproxy/haproxy.cfg', 'c1']]);
    expect(planOf({ web1: seen(web), proxyha: seen(proxy, { files, pushed }) })).toEqual([
      'proxyha:push:/etc/haproxy/haproxy.cfg: it was changed by hand',
    ]);
  });

  it('reloads what was left behind: the file is written, the service runs with the older one', () => {
    const services = new Map([['proxy', { running: true, enabled: true, revision: 'r0' }]]);
    expect(planOf({ web1: seen(web), proxyha: seen(proxy, { services }) })).toEqual([
      'proxyha:reload:proxy: it runs with an older configuration or build',
    ]);
  });

  it('starts, and does not reload, what somebody else has started: a package, when it was installed', () => {
    const services = new Map([['proxy', { running: true, enabled: true }]]);
    expect(planOf({ web1: seen(web), proxyha: seen(proxy, { services }) })).toEqual([
      'proxyha:start:proxy: it was not started by lablb',
    ]);
  });

  it('takes away nodes, files and services that nobody asks for any more', () => {
    const files = new Map([...seen(web).files, ['/old', 'o']]);
    const services = new Map([...seen(web).services, ['old', { running: true, enabled: true }]]);
    expect(planOf({ web1: seen(web, { files, services }), web9: seen(web), proxyha: seen(proxy) })).toEqual([
      'web1:remove:/old: the topology no longer asks for it',
      'web1:stop:old: the topology no longer asks for it',
      'web9:destroy: the topology no longer has it',
    ]);
  });

  it('starts the balancer after its servers, and each node in its own order', () => {
    const { steps } = makePlan(desired, { nodes: new Map() });
    const ids = steps.map((step) => step.id);
    for (const step of steps) for (const need of step.needs) expect(ids).toContain(need);
    expect(steps.find((step) => step.id === 'proxyha:start:proxy')?.needs).toContain('web1:start:web');
    expect(steps.find((step) => step.id === 'proxyha:create')?.needs).toEqual([]);
  });

  it('lets what a balancer needs beside it start before its servers', () => {
    const log = { name: 'log', revision: 'r1', watch: [], onChange: 'restart', logs: [] } as const;
    const nodes = [web, { ...proxy, services: [log, ...proxy.services] }];
    const { steps } = makePlan({ ...desired, nodes }, { nodes: new Map() });
    const needs = (id: string) => steps.find((step) => step.id === id)?.needs;
    expect(needs('proxyha:start:log')).not.toContain('web1:start:web');
    expect(needs('proxyha:start:proxy')).toEqual(['proxyha:start:log', 'web1:start:web']);
  });

  it('keeps to the nodes asked for', () => {
    const { steps } = makePlan(desired, { nodes: new Map() }, { only: ['proxyha'] });
    expect(new Set(steps.map((step) => step.node))).toEqual(new Set(['proxyha']));
    expect(steps.flatMap((step) => step.needs).filter((need) => need.startsWith('web1'))).toEqual([]);
  });

  it('does everything again with --force', () => {
    expect(planOf({ web1: seen(web), proxyha: seen(proxy) }, { force: true })).toEqual(
      [
        'web1:push:/etc/hosts: --force',
        'web1:push:/page: --force',
        'web1:restart:web: --force',
        'proxyha:push:/etc/haproxy/haproxy.cfg: --force',
        'proxyha:reload:proxy: haproxy.cfg changed',
      ].map((line) => line.replace('haproxy.cfg changed', '--force')),
    );
  });

  it('leaves alone what somebody else made, and refuses to build on it', () => {
    const nodes = {
      web1: seen(web, { state: 'foreign', files: new Map(), pushed: new Map() }),
      proxyha: seen(proxy),
    };
    expect(planOf(nodes)).toEqual([]);
    const observed = { nodes: new Map(Object.entries(nodes)) };
    expect(() => refuseForeign(['proxyha', 'web1'], observed)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('lablb did not make it'),
        fields: expect.objectContaining({ exit: EXIT.refused }),
      }),
    );
    expect(() => refuseForeign(['proxyha'], observed)).not.toThrow();
  });

  it('opens what an active firewall does not let through, and closes again what it opened', () => {
    const allows = {
      ufw: ['80/tcp', '8080/tcp'].map((what) => ({ what, why: `ufw is active and ${what} is closed` })),
    };
    const guards = new Map([
      ['ufw', { allows: new Set(['22/tcp', '80/tcp', '81/tcp']), given: new Set(['81/tcp']) }],
    ]);
    const of = (change: Partial<ObservedNode>) =>
      makePlan({ ...desired, nodes: [{ ...web, allows }] }, { nodes: new Map([['web1', seen(web, change)]]) })
        .steps;
    expect(of({ guards }).map(({ id, why }) => `${id}: ${why}`)).toEqual([
      'web1:allow:ufw:8080/tcp: ufw is active and 8080/tcp is closed',
      'web1:forbid:ufw:81/tcp: the topology no longer asks for it',
    ]);
    expect(of({})).toEqual([]);
    expect(of({ guards: new Map([['ufw', { allows: new Set(['*']), given: new Set() }]]) })).toEqual([]);
  });

  it('can only try to reach a machine that does not answer', () => {
    const away = seen(web, { state: 'unreachable', problem: 'no answer from 192.0.2.1:22 in 10 s' });
    expect(planOf({ web1: away, proxyha: seen(proxy, { services: new Map() }) })).toEqual([
      'web1:reach: no answer from 192.0.2.1:22 in 10 s',
      'proxyha:start:proxy: it is not there yet',
    ]);
  });

  it('is a value that nobody can change', () => {
    const plan = makePlan(desired, { nodes: new Map() });
    expect(() => (plan.steps as unknown[]).push(1)).toThrow(TypeError);
    expect(Object.isFrozen(plan.steps[0]!.op)).toBe(true);
  });

  it('heals a node that was made to fail, and leaves its service to the next look', () => {
    const stopped = new Map([['web', { running: false, enabled: true }]]);
    const failing = seen(web, { services: stopped, fault: { how: 'stop', service: 'web' } });
    const { steps } = makePlan(desired, {
      nodes: new Map([
        ['web1', failing],
        ['proxyha', seen(proxy)],
      ]),
    });
    expect(steps).toMatchObject([
      {
        id: 'web1:heal:web',
        op: { kind: 'heal', service: 'web', how: 'stop' },
        why: 'it was made to fail by hand: stop',
      },
    ]);
  });
});
