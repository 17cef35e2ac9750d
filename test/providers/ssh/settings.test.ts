import { expect, it } from 'vitest';
import { refuseMissingKeys, routeTo } from '../../../src/providers/ssh/settings.ts';
import { parseTopology } from '../../../src/topology/parse.ts';

it.each([
  ['./id', './known', '/labs/a/id', '/labs/a/known'],
  ['../id', '/etc/known', '/labs/id', '/etc/known'],
  ['~/id', '~/known', `${process.env.HOME}/id`, `${process.env.HOME}/known`],
])('takes the key %s and the host keys %s from the folder of the topology', (key, known, keyIs, knownIs) => {
  const text = `provider: ssh
ssh: { key: ${key}, knownHostsFile: ${known} }
nodes: { web1: { address: 192.0.2.1 }, proxyha: { address: 192.0.2.3 } }
`;
  const topology = parseTopology(text, { file: '/labs/a/t.lab.yaml', env: {} });
  expect(routeTo(topology, topology.nodes[0]!).target).toMatchObject({
    key: keyIs,
    hostKeys: { files: [knownIs] },
  });
});

it('refuses a key that is not there, and asks for none where none is named', () => {
  const topology = (ssh: string) =>
    parseTopology(
      `provider: ssh\n${ssh}nodes: { web1: { address: 192.0.2.1 }, proxyha: { address: 192.0.2.3 } }\n`,
      {
        file: '/labs/a/t.lab.yaml',
        env: {},
      },
    );
  expect(() => refuseMissingKeys(topology('ssh: { key: ./no-such-key }\n'))).toThrow(
    'there is no key /labs/a/no-such-key; nothing was touched',
  );
  expect(() => refuseMissingKeys(topology(`ssh: { key: ${import.meta.filename} }\n`))).not.toThrow();
  expect(() => refuseMissingKeys(topology(''))).not.toThrow();
});
