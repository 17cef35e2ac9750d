import { MemoryProvider } from '../../src/providers/memory/memory.ts';
import { definedService, providerSuite } from './conformance.ts';

providerSuite('memory', async () => {
  const provider = new MemoryProvider();
  const definition = JSON.stringify({
    argv: ['x'],
    log: '/l',
    watch: [],
    reload: 'restart',
    listens: [],
    build: '1',
  });
  return {
    provider,
    lab: 'x',
    service: definedService('stay', definition),
    edit: (node, path, content) => void provider.nodes.get(node)!.files.set(path, content),
  };
});
