import { describe, expect, it } from 'vitest';
import { DEFAULTS, errors, load } from './load.ts';

const listen = (lines: string) => load(`${DEFAULTS}listen l\n bind :80\n${lines}\n`);

describe('forms of HAProxy 1.x', () => {
  it('are read, with a warning that shows the line of today', () => {
    const { findings, configuration } = load(
      `${DEFAULTS}listen l *:8080\n contimeout 3s\n clitimeout 4s\n srvtimeout 5000\n redispatch\n option forceclose\nfrontend main 127.0.0.1:5000\n`,
    );
    expect(findings).toEqual([
      "6:10 warning: address on the 'listen' line (HAProxy 1.x); today: a line 'bind *:8080' below it",
      "7:2 warning: 'contimeout' is a form of HAProxy 1.x; today: a line 'timeout connect 3s'",
      "8:2 warning: 'clitimeout' is a form of HAProxy 1.x; today: a line 'timeout client 4s'",
      "9:2 warning: 'srvtimeout' is a form of HAProxy 1.x; today: a line 'timeout server 5000'",
      "10:2 warning: 'redispatch' is a form of HAProxy 1.x; today: a line 'option redispatch'",
      "11:2 warning: 'option forceclose' is a form of HAProxy 1.x; today: a line 'option httpclose'",
      "12:15 warning: address on the 'frontend' line (HAProxy 1.x); today: a line 'bind 127.0.0.1:5000' below it",
    ]);
    const [l, main] = configuration.proxies;
    expect(l).toMatchObject({
      timeouts: { connect: 3000, client: 4000, server: 5000 },
      redispatch: -1,
      options: { connection: 'close' },
    });
    expect([l!.binds[0]!.endpoint, main!.binds[0]!.endpoint]).toEqual([
      { kind: 'tcp', host: '0.0.0.0', port: 8080, family: 4 },
      { kind: 'tcp', host: '127.0.0.1', port: 5000, family: 4 },
    ]);
  });

  it('become rules', () => {
    const { configuration, findings } = listen(
      'acl bad src 127.0.0.2\nblock if bad\nreqadd X-Proto:\\ https if !bad\nrspadd X-By:\\ 100%',
    );
    expect(findings).toEqual([
      "9:1 warning: 'block' is a form of HAProxy 1.x; today: a line 'http-request deny if bad'",
      "10:1 warning: 'reqadd' is a form of HAProxy 1.x; today: a line 'http-request add-header X-Proto https if !bad'",
      "11:1 warning: 'rspadd' is a form of HAProxy 1.x; today: a line 'http-response add-header X-By \"100%%\"'",
    ]);
    const { httpRequest, httpResponse } = configuration.proxies[0]!;
    expect(httpRequest.map((rule) => rule.action.keyword)).toEqual(['deny', 'add-header']);
    expect(httpRequest[1]!.condition?.text).toContain('!bad');
    expect(httpResponse.map((rule) => rule.action.keyword)).toEqual(['add-header']);
  });

  it.each([
    ['reqrep ^a b', "'reqrep' went away with HAProxy 2.1; today: http-request replace-path"],
    ['reqidel ^x', "'reqidel' went away with HAProxy 2.1; today: http-request del-header"],
    ['appsession x len 3 timeout 1h', "'appsession' went away with HAProxy 2.1; today: cookie"],
  ])('%s is refused with the line of today', (line, message) => {
    const found = errors(`${DEFAULTS}listen l\n bind :80\n ${line}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]!.startsWith(message)).toBe(true);
  });

  it('keep the order: redirect rules come after http-request rules', () => {
    const { configuration } = listen('redirect scheme https\nhttp-request deny if { src 127.0.0.9 }');
    expect(configuration.proxies[0]!.httpRequest.map((rule) => rule.action.keyword)).toEqual([
      'deny',
      'redirect',
    ]);
  });
});
