import { EXIT, LabError } from '../errors.ts';
import { formerNodes } from '../state/former.ts';
import type { ProviderName, Topology } from '../topology/topology.ts';
import type { LabProvider } from './provider.ts';

/** What a lab can run on. A new provider is a row here and a folder beside it; loaded when it is asked for. */
const PROVIDERS: Readonly<Partial<Record<ProviderName, (topology: Topology) => Promise<LabProvider>>>> = {
  local: async ({ name }) => new (await import('./local/local.ts')).LocalProvider(name),
  lxd: async (topology) => new (await import('./lxd/lxd.ts')).LxdProvider(topology),
  ssh: async (topology) => new (await import('./ssh/ssh.ts')).SshProvider(topology, formerNodes(topology)),
};

/** @throws LabError `provider.missing`. */
export async function providerFor(topology: Topology): Promise<LabProvider> {
  const make = PROVIDERS[topology.provider];
  if (make) return make(topology);
  throw new LabError(`this version has no provider '${topology.provider}' yet`, {
    code: 'provider.missing',
    exit: EXIT.refused,
    hints: [`--provider ${Object.keys(PROVIDERS).join(' | ')}`],
  });
}
