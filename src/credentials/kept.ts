import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, LabError } from '../errors.ts';
import { readJson, writeAtomically, writeJson } from '../state/files.ts';
import { labFolder } from '../state/paths.ts';
import type { TlsSettings, Topology } from '../topology/topology.ts';
import type { GivenTls, Kept } from './settle.ts';

/** What lablb made for a lab: beside its record, mode 0600, gone with the lab. */
export function readKept(lab: string): Kept {
  return readJson<Kept>(join(labFolder(lab), 'credentials.json')) ?? {};
}

/** Also puts the authority's certificate where `curl --cacert` and browsers can be pointed at. */
export function writeKept(lab: string, kept: Kept): void {
  writeJson(join(labFolder(lab), 'credentials.json'), kept);
  if (kept.tls) writeAtomically(authorityPath(lab), kept.tls.authority.certificate);
}

function authorityPath(lab: string): string {
  return join(labFolder(lab), 'ca.pem');
}

/** File on this machine of the authority that a lab's clients trust; undefined where the system's own will do. */
export function authorityFile({ name, balancer: { tls } }: Topology): string | undefined {
  if (!tls) return undefined;
  return tls.given ? tls.given.authority : authorityPath(name);
}

/** The password of the statistics page: the topology's, else the one that lablb made. */
export function statsPassword({ name, balancer: { stats } }: Topology): string | undefined {
  if (stats?.user === undefined) return undefined;
  return stats.password ?? readKept(name).statsPassword;
}

/** The user's own files, which the topology's check has read before. @throws LabError `tls.file`. */
export function readGiven(tls: TlsSettings | undefined): GivenTls | undefined {
  if (!tls?.given) return undefined;
  const { certificate, key = certificate, authority } = tls.given;
  const text = read(certificate);
  return {
    certificate: text.match(CERTIFICATES)?.join('\n').concat('\n') ?? text,
    key: createPrivateKey(read(key)).export({ type: 'pkcs8', format: 'pem' }).toString(),
    authority: authority && read(authority),
  };
}

/** A certificate's file may hold the key too. */
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new LabError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, {
      code: 'tls.file',
      exit: EXIT.refused,
      hints: ['lablb validate'],
      cause,
    });
  }
}
