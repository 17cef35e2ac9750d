import { describe, expect, it } from 'vitest';
import { type ParseOptions, parseTopology } from '../../src/topology/parse.ts';

const parse = (text: string, options: Partial<ParseOptions> = {}) =>
  parseTopology(text, { file: 'rocky.lab.yaml', env: {}, ...options });

describe('a few lines are a lab', () => {
  it('two web nodes by count, and a proxy that nobody names', () => {
    const topology = parse('nodes: { web: { count: 2 } }\n');
    expect(topology.name).toBe('rocky');
    expect(topology.provider).toBe('local');
    expect(topology.nodes.map(({ name, role, title }) => [name, role, title])).toEqual([
      ['web1', 'web', 'SITE1'],
      ['web2', 'web', 'SITE2'],
      ['proxyha', 'proxy', 'proxyha'],
    ]);
    expect(topology.balancer).toMatchObject({
      balance: 'roundrobin',
      port: 80,
      sites: [],
      stats: undefined,
      errorPages: true,
      check: { type: 'http', path: '/', inter: 1000, rise: 2, fall: 3 },
      log: { via: 'file', file: '/var/log/haproxy.log' },
    });
  });

  it('keys with nothing after them', () => {
    const topology = parse('name: x\nnodes:\n  web1:\n  proxy:\n  client:\nbalancer:\n');
    expect(topology.nodes.map(({ name, role }) => [name, role])).toEqual([
      ['web1', 'web'],
      ['proxy', 'proxy'],
      ['client', 'client'],
    ]);
  });

  it.each([
    ['rocky.lab.yaml', 'rocky'],
    ['/srv/My Lab.lab.yml', 'my-lab'],
    ['/srv/labs/topology.yaml', 'labs'],
  ])('%s names its lab %s', (file, name) => {
    expect(parse('nodes: { web: }', { file }).name).toBe(name);
  });
});

describe('nodes', () => {
  it('number their titles and names', () => {
    const { nodes } = parse(
      "nodes: { web: { count: 2, title: 'No. {n}', names: ['site{n}.example.com', 's{n}'] } }",
    );
    expect(nodes.slice(0, 2).map(({ title, names }) => ({ title, names }))).toEqual([
      { title: 'No. 1', names: ['site1.example.com', 's1', 'web1'] },
      { title: 'No. 2', names: ['site2.example.com', 's2', 'web2'] },
    ]);
  });

  it('take from defaults what they do not say', () => {
    const { nodes } = parse(`
provider: lxd
defaults: { server: nginx, image: images:debian/12, packages: [curl], limits: { cpu: 1 } }
nodes:
  web1: { packages: [vim, curl] }
  web2: { server: httpd, vm: true }
`);
    expect(nodes[0]).toMatchObject({
      server: 'nginx',
      packages: ['curl', 'vim'],
      extra: { image: 'images:debian/12', limits: { cpu: 1 } },
    });
    expect(nodes[1]).toMatchObject({ server: 'httpd', packages: ['curl'], extra: { vm: true } });
    expect(nodes[2]).toMatchObject({ name: 'proxyha', engine: 'lablb', server: undefined });
  });

  it('serve with what the provider is for', () => {
    const text = 'provider: lxd\nnodes: { web: }';
    expect(parse(text).nodes[0]!.server).toBe('httpd');
    expect(parse(text, { provider: 'local' })).toMatchObject({
      provider: 'local',
      nodes: [{ server: 'embedded' }, {}],
    });
  });
});

describe('sites', () => {
  it('have an id that is short where it can be', () => {
    const { balancer } = parse(`
nodes: { web: { count: 2 } }
balancer:
  sites:
    www.example.com: [web1]
    www.example.org: { servers: [web2, web1], aliases: [example.org] }
    Shop.example.com: [web2]
    web1.example.com: [web1]
    www-example-com.example.com: [web1]
`);
    expect(balancer.sites).toEqual([
      { id: 'www-example-com', host: 'www.example.com', servers: ['web1'], aliases: [] },
      { id: 'www-example-org', host: 'www.example.org', servers: ['web2', 'web1'], aliases: ['example.org'] },
      { id: 'shop', host: 'shop.example.com', servers: ['web2'], aliases: [] },
      { id: 'web1-example-com', host: 'web1.example.com', servers: ['web1'], aliases: [] },
      {
        id: 'www-example-com-example-com',
        host: 'www-example-com.example.com',
        servers: ['web1'],
        aliases: [],
      },
    ]);
  });
});

describe('the balancer', () => {
  it('reads times with their units', () => {
    const { balancer } = parse(
      'nodes: { web: }\nbalancer: { check: { inter: 500ms }, stats: { refresh: 1m } }',
    );
    expect(balancer.check!.inter).toBe(500);
    expect(balancer.stats!.refresh).toBe(60);
  });

  it('switches with true and false', () => {
    const { balancer } = parse('nodes: { web: }\nbalancer: { check: false, stats: true }');
    expect(balancer.check).toBeUndefined();
    expect(balancer.stats).toEqual({
      port: 8080,
      uri: '/stats',
      realm: 'HAProxy Statistics',
      refresh: 5,
      admin: false,
    });
  });

  it.each([
    ['rsyslog: /var/log/a.log', { via: 'rsyslog-socket', file: '/var/log/a.log' }],
    ['udp: /var/log/a.log', { via: 'rsyslog-udp', file: '/var/log/a.log' }],
    ['file: /var/log/a.log', { via: 'file', file: '/var/log/a.log' }],
  ])('logs to %s', (log, expected) => {
    expect(parse(`nodes: { web: }\nbalancer: { log: { ${log} } }`).balancer.log).toEqual(expected);
  });

  it('takes a configuration from beside the topology', () => {
    const read: string[] = [];
    const readFile = (path: string) => {
      read.push(path);
      return 'global\n';
    };
    const options = { file: '/srv/labs/x.lab.yaml', readFile };
    expect(
      parse('nodes: { web: }\nbalancer: { config: ./ha/haproxy.cfg.hbs }', options).balancer.config,
    ).toEqual({
      file: './ha/haproxy.cfg.hbs',
      text: 'global\n',
      template: true,
    });
    expect(read).toEqual(['/srv/labs/ha/haproxy.cfg.hbs']);
  });
});

describe('the environment', () => {
  const stats = (password: string, env: ParseOptions['env']) =>
    parse(`nodes: { web: }\nbalancer: { stats: { user: u, password: ${password} } }`, { env }).balancer.stats!
      .password;

  it('is put into values, in flow mappings too', () => {
    expect(stats('${PASSWORD}', { PASSWORD: 'hunter2' })).toBe('hunter2');
    expect(stats('"a-${PASSWORD}-z"', { PASSWORD: 'x' })).toBe('a-x-z');
  });

  it('cannot become structure', () => {
    const hostile = 'x, admin: true } }\nprovider: ssh # "\'[&*!';
    expect(() => stats('${PASSWORD}', { PASSWORD: hostile })).toThrow('one line');
    const flow = 'x, admin: true } } # [&a *b !c';
    expect(stats('${PASSWORD}', { PASSWORD: flow })).toBe(flow);
  });

  it('stays text where text is wanted', () => {
    expect(stats('${PASSWORD}', { PASSWORD: '12345' })).toBe('12345');
    expect(stats('${PASSWORD}', { PASSWORD: 'true' })).toBe('true');
  });

  it('is read as a number or a boolean where one is wanted', () => {
    const text =
      'nodes: { web: { count: ${COUNT:-3} } }\nbalancer: { check: ${CHECK}, stats: { port: ${PORT:-8404} } }';
    const { nodes, balancer } = parse(text, { env: { CHECK: 'false' } });
    expect(nodes).toHaveLength(4);
    expect(balancer.check).toBeUndefined();
    expect(balancer.stats!.port).toBe(8404);
  });

  it('has defaults with any character, and counts empty as unset', () => {
    expect(stats('${PASSWORD:-a:b, [c] #d}', { PASSWORD: '' })).toBe('a:b, [c] #d');
    expect(stats("'${PASSWORD:-}x'", {})).toBe('x');
  });

  it('leaves $${ and lone dollars alone', () => {
    expect(stats('"$${HOME} $x ${PASSWORD}"', { PASSWORD: '${HOME}' })).toBe('${HOME} $x ${HOME}');
  });
});

describe('YAML', () => {
  it('follows anchors and aliases', () => {
    const { nodes } = parse('nodes:\n  web1: &w { server: nginx }\n  web2: *w\n');
    expect(nodes.map(({ server }) => server)).toEqual(['nginx', 'nginx', undefined]);
  });

  it('is 1.2: no is a text, 010 a number', () => {
    expect(parse('nodes: { web: { title: no, port: 010 } }').nodes[0]).toMatchObject({
      title: 'no',
      port: 10,
    });
  });

  it('may have Windows line ends and a byte order mark', () => {
    expect(parse('\ufeffnodes:\r\n  web1: {}\r\n').nodes).toHaveLength(2);
  });
});
