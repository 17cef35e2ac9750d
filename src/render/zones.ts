import { createHash } from 'node:crypto';
import type { HostRecord } from './hosts.ts';

/** A name of the lab and where it is. */
export interface NameRecord {
  readonly name: string;
  readonly address: string;
}

/** A part of the name space that the lab's dns nodes answer for alone. */
export interface Zone {
  /** Without a final dot. */
  readonly name: string;
  /** Fit for a file. */
  readonly file: string;
  /** Owner names relative to the zone, `@` for the zone itself. */
  readonly records: readonly { readonly owner: string; readonly type: 'A' | 'PTR'; readonly value: string }[];
  /** Made of the content: what changes has another one, and there is no date in it. */
  readonly serial: number;
}

/** Every name once, lower-case, in the order of the lab. */
export function nameRecords(hosts: readonly HostRecord[]): NameRecord[] {
  const all = new Map<string, string>();
  for (const { names, address } of hosts)
    for (const name of names) if (!all.has(name.toLowerCase())) all.set(name.toLowerCase(), address);
  return [...all].map(([name, address]) => ({ name, address }));
}

/**
 * Zones that hold these names: the domain of a name such as site1.testdomain.com, the name itself when it is short or
 * its domain is one that strangers share (`co.uk`). A zone within another is part of that one.
 */
export function zonesOf(records: readonly NameRecord[]): Zone[] {
  const candidates = [...new Set(records.map(({ name }) => zoneOf(name)))];
  const names = candidates.filter(
    (zone) => !candidates.some((other) => other !== zone && isWithin(zone, other)),
  );
  return names.map((zone) =>
    makeZone(
      zone,
      records
        .filter(({ name }) => isWithin(name, zone))
        .map(({ name, address }) => ({
          owner: name === zone ? '@' : name.slice(0, -zone.length - 1),
          type: 'A' as const,
          value: address,
        })),
    ),
  );
}

/** From addresses back to names, a zone for each /24: the first name of each node. */
export function reverseZonesOf(hosts: readonly HostRecord[]): Zone[] {
  const found = hosts.map(({ address, names }) => ({ parts: address.split('.'), name: names[0]! }));
  const networks = [...new Set(found.map(({ parts }) => parts.slice(0, 3).reverse().join('.')))];
  return networks.map((network) =>
    makeZone(
      `${network}.in-addr.arpa`,
      found
        .filter(({ parts }) => parts.slice(0, 3).reverse().join('.') === network)
        .map(({ parts, name }) => ({ owner: parts[3]!, type: 'PTR' as const, value: `${name}.` })),
    ),
  );
}

function makeZone(name: string, records: Zone['records']): Zone {
  const digest = createHash('sha256').update(JSON.stringify(records)).digest();
  return { name, file: `${name}.zone`, records, serial: digest.readUInt32BE(0) };
}

function zoneOf(name: string): string {
  const labels = name.split('.');
  const parent = labels.slice(1);
  const shared = parent.length === 2 && parent.every((label) => label.length <= 3);
  return parent.length < 2 || shared ? name : parent.join('.');
}

function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}
