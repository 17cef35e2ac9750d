import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs } from '../support/needs.ts';

const LAB = `
name: names
nodes:
  web1: { port: 8000, names: [site1.test.lan, site1] }
  web2: { port: 8000 }
  proxyha:
  ns1: { role: dns }
  ns2: { role: dns, server: bind }
balancer:
  port: 8080
  sites: { site1.test.lan: { servers: [web1, web2], aliases: [www.test.lan] } }
`;

describe.skipIf(!testEngine())('a lab with dns nodes on this machine', () => {
  const box = new Sandbox();
  let said = '';
  beforeAll(async () => {
    box.write('names.lab.yaml', LAB);
    const up = await box.lablb('up');
    expect(up).toMatchObject({ status: 0, stderr: '' });
    said = up.stdout;
  });
  afterAll(() => box.close('names'));

  it.skipIf(!needs('dig'))('shows a command that asks, and the balancer is the answer', () => {
    const [, command] = /^ {2}(dig @127\.\S+(?: -p \d+)? site1\.test\.lan)$/m.exec(said)!;
    const [, balancer] = /http:\/\/([\d.]+):\d+\//.exec(said)!;
    const [program, ...args] = command!.split(' ');
    expect(execFileSync(program!, [...args, '+short'], { encoding: 'utf8' })).toBe(`${balancer}\n`);
  });

  it('passes its suite, with dig and without', async () => {
    for (const path of [process.env.PATH!, '/nonexistent']) {
      box.env.PATH = path;
      const test = await box.lablb('test', 'dns', '--json');
      box.env.PATH = process.env.PATH!;
      expect(test.status, test.stderr).toBe(0);
      const [{ cases }] = JSON.parse(test.stdout).results;
      expect(
        cases.map(({ name, data }: { name: string; data: { names: object } }) => [
          name,
          Object.keys(data.names).length,
        ]),
      ).toEqual([
        ['ns1', 8],
        ['ns2', 8],
      ]);
    }
  });

  it('says what is wrong when a dns node is stopped', async () => {
    expect(await box.lablb('exec', 'ns1', '--', 'service', 'dnsmasq', 'stop')).toMatchObject({ status: 0 });
    const test = await box.lablb('test', 'dns');
    expect(test.status).toBe(1);
    expect(test.stdout + test.stderr).toMatch(/no answer from 127\.\S+ port|not found, and should be/);
    expect(await box.lablb('up')).toMatchObject({ status: 0 });
    expect(await box.lablb('test', 'dns')).toMatchObject({ status: 0 });
  });
});
