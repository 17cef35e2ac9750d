import { LabError } from '../errors.ts';
import { definitionPath, type ServiceDefinition } from './definition.ts';
import type { Family } from './family.ts';

/** No system at all: processes of this machine (provider local). It has what this machine has. */
export const embedded: Family = {
  name: 'embedded',
  define: (service) => {
    const definition: ServiceDefinition = {
      argv: service.argv,
      log: service.log,
      errors: service.errors,
      watch: service.watch,
      reload: service.onChange === 'reload' ? 'handover' : 'restart',
      listens: service.listens,
      build: service.build,
    };
    return { path: definitionPath(service.name), content: `${JSON.stringify(definition, null, 2)}\n` };
  },
  service: (action, name) => ['service', name, action],
  fail: ({ how, service, delayMs }) => ['service', service, 'fail', how, String(delayMs)],
  heal: (service) => ['service', service, 'heal'],
  packages: () => [],
  typed: () => [],
  brought: () => ['true'],
  clear: '',
  software: {},
  install: (packages) => {
    throw new LabError(`a local node installs nothing: ${packages.join(' ')}`, { code: 'local.packages' });
  },
};
