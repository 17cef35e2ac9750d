import { describe, expect, it } from 'vitest';
import { MemoryTransport } from '../../src/sockets/memory.ts';
import { cases } from './conformance.ts';

describe('the transport in memory', () => {
  it.each(cases)('$name', ({ run }) =>
    run({ transport: new MemoryTransport(), unixPath: () => '/nowhere/socket', hasFiles: false }),
  );

  it.each(cases)('in pieces of a few bytes: $name', ({ run }) =>
    run({
      transport: new MemoryTransport({ piece: 40_000, capacity: 100_000 }),
      unixPath: () => '/s',
      hasFiles: false,
    }),
  );

  it('refuses to listen twice at one address', () => {
    const transport = new MemoryTransport();
    const at = { kind: 'tcp', host: '0.0.0.0', port: 80 } as const;
    const listener = transport.listen(at, () => ({}) as never);
    expect(() => transport.listen(at, () => ({}) as never)).toThrow('in use');
    listener.stop();
    transport.listen(at, () => ({}) as never);
  });
});
