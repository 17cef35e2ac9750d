import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';

describe.skipIf(!testEngine())('a configuration of one’s own whose port is taken', () => {
  const box = new Sandbox();
  let holder: Server;
  beforeAll(() => new Promise<void>((resolve) => (holder = createServer().listen(0, '127.0.0.1', resolve))));
  afterAll(async () => {
    holder.close();
    await box.close('own');
  });

  it('does not start, with a way out', async () => {
    const { port } = holder.address() as { port: number };
    const config = `defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\nfrontend f\n  bind 127.0.0.1:${port}\n  default_backend b\nbackend b\n  server s 127.0.0.1:9\n`;
    box.write('haproxy.cfg', config);
    box.write(
      'own.lab.yaml',
      'name: own\nnodes: { web1: { port: 8000 } }\nbalancer: { config: ./haproxy.cfg }\n',
    );
    const up = await box.lablb('up');
    expect(up.status).toBe(1);
    expect(up.stderr).toMatch(
      /did not start[\s\S]*try: another address or port[\s\S]*bind \{\{bind\}\}:\{\{port\}\}/,
    );
  });
});
