import { chmodSync, chownSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { EXIT, LabError } from '../errors.ts';
import { placeBlock } from '../render/hosts.ts';
import type { LabRecord } from '../state/record.ts';
import { inWords } from '../system-error.ts';

/**
 * Lines for the hosts file of whoever looks at the lab's sites: every site is where the balancer is. As in the tutorial
 * a site has its short name too, unless two sites would share it.
 *
 *     192.168.1.149  site1.testdomain.com site1
 */
export function hostsLines({ topology, desired }: LabRecord): string[] {
  const proxy = desired.nodes.find((node) => node.role === 'proxy' && node.address);
  if (!proxy) return [];
  const { sites } = topology.balancer;
  const shorts = sites.map(({ host }) => host.split('.')[0]!);
  const lines = sites.map(({ host, aliases }, i) => {
    const short = shorts.filter((other) => other === shorts[i]).length === 1 ? [shorts[i]!] : [];
    return [host, ...short, ...aliases];
  });
  const names = lines.length > 0 ? lines : [[proxy.name]];
  return names.map((of) => `${proxy.address}  ${[...new Set(of)].join(' ')}`);
}

/**
 * Puts `lines` between this lab's markers in a hosts file, or takes the markers and all between them away (no lines).
 * Readers see the old file or the new one; owner and mode stay. Tells whether anything changed.
 *
 * @throws LabError `hosts.write`.
 */
export function writeHostsFile(path: string, lab: string, lines: readonly string[]): boolean {
  const draft = `${path}.lablb-${process.pid}`;
  try {
    const before = readFileSync(path, 'utf8');
    const after = placeBlock(before, lab, lines.map((line) => `${line}\n`).join(''));
    if (after === before) return false;
    const { mode, uid, gid } = statSync(path);
    writeFileSync(draft, after, { flag: 'wx', mode });
    chmodSync(draft, mode);
    chownSync(draft, uid, gid);
    renameSync(draft, path);
    return true;
  } catch (error) {
    rmSync(draft, { force: true });
    throw refused(path, error as NodeJS.ErrnoException);
  }
}

function refused(path: string, cause: NodeJS.ErrnoException): LabError {
  const forbidden = cause.code === 'EACCES' || cause.code === 'EPERM';
  return new LabError(forbidden ? `${path} is not yours to write` : `cannot write ${inWords(cause)}`, {
    code: 'hosts.write',
    exit: EXIT.refused,
    hints: forbidden
      ? ['sudo lablb hosts --write']
      : ['lablb hosts   (prints the lines; put them there by hand)'],
    cause,
  });
}
