import type { Software } from '../os/family.ts';
import type { ServiceSpec } from './role.ts';

/** A service that a package brings. What it reads at each request needs no watching. */
export function packagedService(
  { service, logs: [log, ...otherLogs] }: Software,
  more: Partial<ServiceSpec> = {},
): ServiceSpec {
  return {
    name: service,
    argv: [],
    build: '',
    log: log!,
    otherLogs,
    watch: [],
    onChange: 'restart',
    listens: [],
    packaged: true,
    ...more,
  };
}
