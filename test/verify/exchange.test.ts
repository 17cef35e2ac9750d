import { describe, expect, it } from 'vitest';
import { curlFailure, lastResponse } from '../../src/verify/exchange.ts';
import { dateOf } from '../../src/verify/tls.ts';

describe('what curl says', () => {
  it('is the last response of those that -L follows', () => {
    const text =
      'HTTP/1.1 302 Found\r\nlocation: https://x/\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\nx-a: b: c\r\n\r\n<h1>1</h1>\n\nHTTP';
    const { headers, body } = lastResponse(text);
    expect([...headers]).toEqual([
      ['content-type', 'text/html'],
      ['x-a', 'b: c'],
    ]);
    expect(body).toBe('<h1>1</h1>\n\nHTTP');
  });

  it('may be a response without fields, or none at all', () => {
    expect(lastResponse('HTTP/1.0 200 OK\r\n\r\nx')).toEqual({ headers: new Map(), body: 'x' });
    expect(lastResponse('')).toEqual({ headers: new Map(), body: '' });
  });

  it('tells the dates of a certificate', () => {
    const told =
      '* Server certificate:\n*  start date: Nov 21 23:12:56 2026 GMT\n*  expire date: Nov 21 23:12:56 2027 GMT\n';
    expect(dateOf('start', told)?.toISOString()).toBe('2026-11-21T23:12:56.000Z');
    expect(dateOf('expire', told)?.toISOString()).toBe('2027-11-21T23:12:56.000Z');
    expect(dateOf('expire', '* nothing\n')).toBeUndefined();
  });

  it('has the reason of a failure in its last line of that kind', () => {
    expect(curlFailure({ exitStatus: 60, stderr: '* x\ncurl: (60) no trust\nMore details here\n' })).toBe(
      'curl: (60) no trust',
    );
    expect(curlFailure({ exitStatus: 2, stderr: '' })).toBe('curl ended with 2');
  });
});
