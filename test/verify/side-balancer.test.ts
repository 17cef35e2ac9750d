import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MemoryProvider } from '../../src/providers/memory/memory.ts';
import type { ExecResult } from '../../src/providers/provider.ts';
import type { LabRecord } from '../../src/state/record.ts';
import { withSideBalancer } from '../../src/verify/side-balancer.ts';
import type { SuiteContext } from '../../src/verify/suite.ts';
import { unfitOf } from '../../src/verify/unfit.ts';
import { needs } from '../support/needs.ts';
import { topologyOf } from '../support/topology.ts';

const FINE: ExecResult = { exitStatus: 0, stdout: '', stderr: '' };
const CONFIG = {
  ports: ['a', 'b'],
  text: (port: (name: string) => number) => `listen x\n    bind 127.0.0.1:${port('b')}\n`,
  reply: '%[srv_conn(x/y)]',
};

/** A node whose starts end as `starts` say; what was run there, and with which input. */
class Node extends MemoryProvider {
  readonly ran: { argv: readonly string[]; input?: string; signal?: AbortSignal }[] = [];
  readonly #starts: ExecResult[];

  constructor(...starts: ExecResult[]) {
    super();
    this.#starts = starts;
  }

  override async exec(
    _: string,
    argv: readonly string[],
    options: { input?: string; signal?: AbortSignal } = {},
  ) {
    this.ran.push({ argv, ...options });
    options.signal?.throwIfAborted();
    return options.input === undefined ? FINE : this.#starts.shift()!;
  }

  /** `start NONCE`, `stop NONCE`, in order. */
  get verbs(): string[] {
    return this.ran.map(({ argv, input }) => `${input === undefined ? 'stop' : 'start'} ${argv[4]}`);
  }
}

function contextOf(provider: Node, signal = new AbortController().signal): SuiteContext {
  const topology = topologyOf();
  const desired = { nodes: topology.nodes.map(({ name, role }) => ({ name, role })) };
  return {
    record: { topology, desired } as unknown as LabRecord,
    provider,
    signal,
  } as unknown as SuiteContext;
}

describe('a balancer beside the lab’s own', () => {
  it('is started with ports of its own, the configuration on its input, and stopped by the same name', async () => {
    const node = new Node(FINE);
    const used = await withSideBalancer(contextOf(node), CONFIG, async (side) => side);
    const [start, stop] = node.ran;
    expect(start!.argv.slice(0, 2)).toEqual(['sh', '-c']);
    expect(start!.argv.at(-1)).toBe('/usr/sbin/lablb');
    expect(start!.input).toContain(`bind 127.0.0.1:${used.port('b')}\n`);
    expect(start!.input).toContain(`lf-string "${start!.argv[4]} %[srv_conn(x/y)]"`);
    expect(used.control).toBe(`http://127.0.0.1:${start!.argv[6]}/`);
    expect(stop!.argv[4]).toBe(start!.argv[4]);
    expect(new Set([used.port('a'), used.port('b'), Number(start!.argv[6])]).size).toBe(3);
    expect(used).toMatchObject({ node: 'proxyha', program: 'lablb-proxy' });
  });

  it('is stopped whatever becomes of the test, also after Ctrl-C', async () => {
    const node = new Node(FINE);
    const controller = new AbortController();
    const test = withSideBalancer(contextOf(node, controller.signal), CONFIG, async () => {
      controller.abort(new Error('interrupted'));
      controller.signal.throwIfAborted();
    });
    await expect(test).rejects.toThrow('interrupted');
    expect(node.ran[1]!.signal).toBeUndefined();
    expect(node.verbs[1]).toBe(node.verbs[0]!.replace('start', 'stop'));
  });

  it('tries other ports when one is taken, and gives up in the end', async () => {
    const taken = { exitStatus: 1, stdout: '', stderr: 'cannot bind socket (Address already in use)' };
    const node = new Node(taken, FINE);
    await withSideBalancer(contextOf(node), CONFIG, async () => undefined);
    expect(node.verbs.map((verb) => verb.split(' ')[0])).toEqual(['start', 'stop', 'start', 'stop']);
    expect(node.ran[0]!.argv[4]).not.toBe(node.ran[2]!.argv[4]);
    const never = new Node(taken, taken, taken, taken);
    await expect(withSideBalancer(contextOf(never), CONFIG, async () => 0)).rejects.toMatchObject({
      fields: { code: 'side.start', node: 'proxyha', stderr: taken.stderr },
    });
    expect(never.ran).toHaveLength(8);
  });

  it('says what the program has against the configuration', async () => {
    const node = new Node({ exitStatus: 4, stdout: '', stderr: "unknown keyword 'x'" });
    await expect(withSideBalancer(contextOf(node), CONFIG, async () => 0)).rejects.toMatchObject({
      fields: { code: 'side.refused', stderr: "unknown keyword 'x'" },
    });
    expect(node.ran).toHaveLength(2);
  });

  it('is nothing to try where there is no curl', async () => {
    const node = new Node({ exitStatus: 127, stdout: '', stderr: '' });
    const error = await withSideBalancer(contextOf(node), CONFIG, async () => 0).catch((one) => one);
    expect(unfitOf(error)).toMatchObject({ reason: 'curl is not on proxyha' });
  });
});

/** Takes any configuration, and answers on the port of its last `bind` with the text of its last frontend. */
const PROGRAM = `
const { readFileSync } = require('node:fs');
if (process.argv.includes('-c')) process.exit();
const config = readFileSync(process.argv.at(-1), 'utf8');
const port = Number(config.match(/127\\.0\\.0\\.1:(\\d+)(?![^]*bind)/)[1]);
const text = config.match(/lf-string "(\\S+)/)[1];
require('node:http').createServer((_, answer) => answer.end(text)).listen(port, '127.0.0.1');
`;

describe.skipIf(!needs('curl'))('a balancer that nobody stops', () => {
  it('is in the folder of a local node, ends in time, and leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lablb-side-test-'));
    try {
      const node = new Node(FINE);
      await withSideBalancer(contextOf(node), CONFIG, async () => undefined);
      const { argv, input } = node.ran[0]!;
      const [sh, c, script, name, nonce, , port] = argv as string[];
      const program = join(folder, 'program.cjs');
      writeFileSync(program, PROGRAM);
      const started = [c!, script!, name!, nonce!, '3', port!, process.execPath, program];
      execFileSync(sh!, started, { input, env: { ...process.env, LABLB_ROOT: folder } });
      const side = join(folder, `lablb-side-${nonce}`);
      expect(readdirSync(side).sort()).toEqual(['haproxy.cfg', 'log', 'pid']);
      const pid = Number(readFileSync(join(side, 'pid'), 'utf8'));
      for (let n = 0; n < 300 && readdirSync(folder).length > 1; n++) await sleep(100);
      expect(readdirSync(folder)).toEqual(['program.cjs']);
      for (let n = 0; n < 100 && lives(pid); n++) await sleep(100);
      expect(lives(pid)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
