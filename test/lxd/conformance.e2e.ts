import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import { systemctl } from '../../src/os/systemd.ts';
import { LxdProvider } from '../../src/providers/lxd/lxd.ts';
import { providerSuite } from '../providers/conformance.ts';
import { topologyOf } from '../support/topology.ts';

const LAB = 'conformance';
const UNIT = '/etc/systemd/system/stay.service';
const { PATH } = process.env;

/** Here lablb is outside of the sandbox, with its client first in the PATH: on the bridge that makes no difference. */
beforeAll(() => {
  process.env.PATH = `${join(inject('sandbox'), 'bin')}:${PATH}`;
});
afterAll(async () => {
  await provider().destroy('web1');
  process.env.PATH = PATH;
});

providerSuite('lxd', async () => {
  const one = provider();
  await one.destroy('web1');
  return {
    provider: one,
    lab: LAB,
    service: {
      name: 'stay',
      file: {
        path: UNIT,
        content: `[Service]\nExecStart=/bin/sleep infinity\nExecStartPost=/bin/sh /var/lib/lablb/note stay ${UNIT}\n[Install]\nWantedBy=multi-user.target\n`,
      },
      ask: (action) =>
        action === 'status' ? ['systemctl', 'is-active', '-q', 'stay'] : systemctl(action, 'stay'),
    },
    edit: async (node, path, content) => {
      await one.exec(node, ['sh', '-c', 'printf %s "$2" >"$1"', 'sh', path, content]);
    },
  };
});

function provider(): LxdProvider {
  const lab = `name: ${LAB}\nprovider: lxd\nlxd: { image: debian/12, command: ${inject('client')} }\nnodes: { web1: {} }\n`;
  return new LxdProvider(topologyOf(lab));
}
