import { expect, it } from 'vitest';
import { ownSiteIn } from '../../src/roles/own-site.ts';

const HTTP = 'defaults\n  mode http\n';

it.each([
  ['frontend f\n  bind *:8080', { port: 8080, tls: false }],
  ['frontend f\n  bind :80,:81', { port: 80, tls: false }],
  ['frontend f\n  bind 127.0.0.9:8099 # here', { host: '127.0.0.9', port: 8099, tls: false }],
  ['frontend f\n  bind ipv6@[::1]:80', { host: '[::1]', port: 80, tls: false }],
  ['frontend f\n  bind /run/x.sock\n  bind :443 ssl crt x', { port: 443, tls: true }],
  ['listen stats\n  bind :8404\n  stats uri /\nfrontend f\n  bind :80', { port: 80, tls: false }],
  ['frontend tcp\n  mode tcp\n  bind :25\nlisten l\n  bind :80', { port: 80, tls: false }],
  ['frontend f\n  bind :"$PORT"', undefined],
  ['backend b\n  server s 127.0.0.1:1', undefined],
])('%j answers at %j', (config, site) => {
  expect(ownSiteIn(HTTP + config)).toEqual(site);
});

it('has no HTTP where nobody says so', () => {
  expect(ownSiteIn('frontend f\n  bind :80\n')).toBeUndefined();
});
