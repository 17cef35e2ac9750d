import type { Transport } from './transport.ts';

/** A transport whose ports are shared with no other process: what somebody listens on already is refused. */
export function alone(transport: Transport): Transport {
  return {
    listen: (at, ...rest) => transport.listen(at.kind === 'tcp' ? { ...at, alone: true } : at, ...rest),
    connect: (...args) => transport.connect(...args),
    prepare: (tls) => transport.prepare?.(tls),
  };
}
