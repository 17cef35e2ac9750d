import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, LabError, nearest } from '../errors.ts';
import type { Desired } from '../plan/desired.ts';
import type { ProviderName, Topology, TopologyNode } from '../topology/topology.ts';
import { readJson, writeJson } from './files.ts';
import { labFolder, stateHome } from './paths.ts';

/**
 * What lablb remembers of a lab: enough to look after it without its file. Written before the first node is made,
 * so that nothing is ever there which nobody knows of. Mode 0600, for a topology may hold a password.
 */
export interface LabRecord {
  readonly version: 1;
  readonly name: string;
  readonly provider: ProviderName;
  /** Absolute path of the topology. */
  readonly file?: string;
  /** sha256 of its text, to see that it changed since. */
  readonly fileHash?: string;
  readonly topology: Topology;
  /** Every node that may exist: those of the topology, and those of earlier ones that are not gone yet. */
  readonly nodes: readonly string[];
  /** Machines that the topology no longer has and that may be marked still, as an earlier one had them. */
  readonly former?: readonly FormerNode[];
  /** Provider ssh: what is known of each node's machine (`marksOf`). */
  readonly marks?: Readonly<Record<string, string>>;
  /** What `up` was to make true; `status` compares with it. */
  readonly desired: Desired;
  /** When the last `up` finished (ISO 8601); absent while it has not. */
  readonly upAt?: string;
  /** A `down` has begun, and has not come to its end. */
  readonly leaving?: boolean;
}

export interface FormerNode extends TopologyNode {
  /** What tells its machine from others; '' or absent where that is not known. */
  readonly mark?: string;
}

/** A lab's name is a folder's name: lower-case letters, digits and dashes, as the topology has it. */
const LAB_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function readRecord(lab: string): LabRecord | undefined {
  if (!LAB_NAME.test(lab)) return undefined;
  const record = readJson<LabRecord>(recordPath(lab));
  return record?.version === 1 ? record : undefined;
}

export function writeRecord(record: LabRecord): void {
  writeJson(recordPath(record.name), record);
}

/** Forgets a lab, with its folder. */
export function forget(lab: string): void {
  rmSync(labFolder(lab), { recursive: true, force: true, maxRetries: 3 });
}

/** All labs that lablb remembers, by name. */
export function allRecords(): LabRecord[] {
  return labNames().flatMap((name) => readRecord(name) ?? []);
}

/** Names of labs whose record is there and cannot be read. */
export function damagedRecords(): string[] {
  return labNames().filter((name) => existsSync(recordPath(name)) && !readRecord(name));
}

/** @throws LabError `lab.unknown` with the names that there are. */
export function requireRecord(lab: string): LabRecord {
  const record = readRecord(lab);
  if (record) return record;
  const names = allRecords().map(({ name }) => name);
  if (damagedRecords().includes(lab))
    throw new LabError(`what lablb remembers of '${lab}' cannot be read: ${recordPath(lab)}`, {
      code: 'lab.unknown',
      exit: EXIT.refused,
      hints: ['lablb up FILE     (its topology; what is there is found again)', 'lablb down FILE'],
    });
  const near = nearest(lab, names);
  throw new LabError(`no lab called '${lab}' is up${near ? `; did you mean '${near}'?` : ''}`, {
    code: 'lab.unknown',
    exit: EXIT.refused,
    hints: names.length > 0 ? [`lablb status   (there are: ${names.join(', ')})`] : ['lablb up FILE'],
  });
}

export function lockPath(lab: string): string {
  return join(stateHome(), '.locks', lab);
}

function recordPath(lab: string): string {
  return join(labFolder(lab), 'lab.json');
}

function labNames(): string[] {
  try {
    return readdirSync(stateHome())
      .filter((name) => LAB_NAME.test(name))
      .sort();
  } catch {
    return [];
  }
}
