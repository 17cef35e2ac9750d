import { Resolver } from 'node:dns/promises';
import { LabError } from '../errors.ts';
import { NOT_FOUND } from '../shell/run.ts';
import type { Sender } from './request.ts';

/** Who is asked: an address and a port; nothing for whoever the node's own /etc/resolv.conf names. */
export interface NameServer {
  readonly address: string;
  readonly port: number;
}

export interface Names {
  /** Name → its addresses; a name without any is not there. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** As dig has it: `NOERROR`, `NXDOMAIN`, `REFUSED` …; of the last name. */
  readonly status: string;
  readonly via: 'dig' | 'lablb';
}

const DEADLINE_MS = 60_000;
const DNS_PORT = 53;

/** The command as it is typed by hand. */
export function digCommand(server: NameServer | undefined, names: readonly string[]): readonly string[] {
  const at = server
    ? [`@${server.address}`, ...(server.port === DNS_PORT ? [] : ['-p', `${server.port}`])]
    : [];
  return ['dig', ...at, '+noall', '+answer', ...names];
}

/**
 * Asks for the addresses of names with dig from a node of the lab, the command of `digCommand` plus deadlines and what
 * tells the status; `tcp` for a connection instead of datagrams. Without dig lablb asks itself, which works where the
 * lab can be reached from here.
 *
 * @throws LabError `dns.no-answer`.
 */
export async function askNames(
  server: NameServer | undefined,
  names: readonly string[],
  { provider, node, signal }: Sender,
  { tcp = false }: { tcp?: boolean } = {},
): Promise<Names> {
  const [dig, ...rest] = digCommand(server, names);
  const options = ['+comments', '+time=2', '+tries=3', ...(tcp ? ['+tcp'] : [])];
  const result = await provider.exec(node, [dig!, ...rest, ...options], { timeoutMs: DEADLINE_MS, signal });
  if (result.exitStatus === NOT_FOUND && server) return askOurselves(server, names);
  if (result.exitStatus !== 0) {
    throw new LabError(
      `no answer from ${server ? `${server.address} port ${server.port}` : 'the nameserver'}`,
      {
        code: 'dns.no-answer',
        node,
        command: digCommand(server, names),
        exitStatus: result.exitStatus,
        stderr: result.stderr || result.stdout,
        hints: ['lablb status'],
      },
    );
  }
  return { ...readDig(result.stdout), via: 'dig' };
}

/** What dig printed: lines `name. ttl IN A address`, and the header's status of each question. */
function readDig(text: string): Omit<Names, 'via'> {
  const addresses = new Map<string, string[]>();
  for (const [, name, address] of text.matchAll(/^(\S+?)\.?\s+\d+\s+IN\s+A\s+(\S+)$/gm)) {
    const key = name!.toLowerCase();
    addresses.set(key, [...(addresses.get(key) ?? []), address!]);
  }
  const statuses = [...text.matchAll(/status: (\w+)/g)];
  return { addresses, status: statuses.at(-1)?.[1] ?? '' };
}

async function askOurselves({ address, port }: NameServer, names: readonly string[]): Promise<Names> {
  const resolver = new Resolver({ timeout: 2000, tries: 3 });
  resolver.setServers([`${address}:${port}`]);
  let status = '';
  const addresses = new Map<string, string[]>();
  for (const name of names) {
    try {
      addresses.set(name.toLowerCase(), await resolver.resolve4(name));
      status = 'NOERROR';
    } catch (error) {
      status = STATUSES[(error as NodeJS.ErrnoException).code ?? ''] ?? 'SERVFAIL';
    }
  }
  return { addresses, status, via: 'lablb' };
}

const STATUSES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'NXDOMAIN',
  ENODATA: 'NOERROR',
  EREFUSED: 'REFUSED',
};
