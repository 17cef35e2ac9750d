import { get } from 'node:http';

export interface HttpTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `user:password` for basic authentication. */
  readonly auth?: string;
  readonly timeoutMs: number;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** A plain GET from this very process; undefined when there is no whole answer in time. */
export function httpGet(target: HttpTarget): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const request = get({ ...target, agent: false, timeout: target.timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > MAX_BYTES) request.destroy();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}
