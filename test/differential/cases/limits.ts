import { get, post, request, response, type Subject, web } from '../fixture.ts';

const fields = (count: number): string[] => Array.from({ length: count }, (_, at) => `X-${at}: ${at}`);

export const limits: Subject = {
  name: 'limits',
  cases: [
    { name: '100 header fields', client: get('/', ...fields(99)) },
    { name: '101 header fields', client: get('/', ...fields(100)) },
    { name: '200 header fields', client: get('/', ...fields(199)) },
    {
      name: '100 header fields of the origin',
      client: get('/'),
      server: [response('200 OK', [...fields(99), 'Content-Length: 0'])],
    },
    {
      name: '102 header fields of the origin',
      client: get('/'),
      server: [response('200 OK', [...fields(101), 'Content-Length: 0'])],
    },
    { name: 'a target of 8,000 bytes', client: get(`/${'a'.repeat(8000)}`) },
    { name: 'a target of 15,000 bytes', client: get(`/${'a'.repeat(15_000)}`) },
    {
      name: 'a target of 16,000 bytes',
      client: get(`/${'a'.repeat(16_000)}`),
      expect: {
        differs: 'the status says what was too large',
        haproxy: { status: [400] },
        engine: { status: [431], closed: true },
      },
    },
    {
      name: 'a target of 20,000 bytes',
      client: get(`/${'a'.repeat(20_000)}`),
      expect: {
        differs: 'the status says what was too large',
        haproxy: { status: [400] },
        engine: { status: [414], closed: true },
      },
    },
    { name: 'a value of 15,000 bytes', client: get('/', `X-A: ${'b'.repeat(15_000)}`) },
    {
      name: 'a value of 16,000 bytes',
      client: get('/', `X-A: ${'b'.repeat(16_000)}`),
      expect: {
        differs: 'the status says what was too large',
        haproxy: { status: [400] },
        engine: { status: [431], closed: true },
      },
    },
    {
      name: 'a value of 40,000 bytes',
      client: get('/', `X-A: ${'b'.repeat(40_000)}`),
      expect: {
        differs: 'the status says what was too large',
        haproxy: { status: [400] },
        engine: { status: [431], closed: true },
      },
    },
    {
      name: 'a value of 40,000 bytes of the origin',
      client: get('/'),
      server: [response('200 OK', [`X-A: ${'b'.repeat(40_000)}`, 'Content-Length: 0'])],
    },
    { name: 'a header name of 200 bytes', client: get('/', `${'x'.repeat(200)}: b`) },
    { name: 'a method of 200 bytes', client: request(`${'M'.repeat(200)} / HTTP/1.1`, ['Host: a.test']) },
    {
      name: 'trailers of 2,000 bytes',
      client: post(`0\r\nX-T: ${'t'.repeat(2000)}\r\n\r\n`, 'Transfer-Encoding: chunked') + get('/2'),
    },
    {
      name: 'a chunk extension of 2,000 bytes',
      client: post(`5;${'e'.repeat(2000)}\r\nhello\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked') + get('/2'),
    },
    { name: 'many empty lines before a request', client: '\r\n'.repeat(50) + get('/') },
    {
      name: 'a header that grows by rules',
      config: web(`http-request set-header X-Grown ${'g'.repeat(500)}`),
      client: get('/', `X-A: ${'b'.repeat(10_000)}`),
    },
  ],
};
