/** A hosts file (hosts(5)): name in lower case → its first address. No file is an empty one. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

export function readHosts(file: string | undefined): ReadonlyMap<string, string> {
  try {
    return file === undefined ? new Map() : parseHosts(readFileSync(file, 'utf8'));
  } catch {
    return new Map();
  }
}

export function parseHosts(text: string): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) if (!hosts.has(name.toLowerCase())) hosts.set(name.toLowerCase(), address);
  }
  return hosts;
}
