import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LabError } from '../errors.ts';
import {
  judge,
  type KnownHost,
  knownHostLine,
  knownName,
  knownTypes,
  parseKnownHosts,
} from './known-hosts.ts';

export interface HostKeyPolicy {
  /** Files of known keys; new ones are added to the first. */
  readonly files: readonly string[];
  /** `strict`: a host that is not known is refused. `accept-new`: its key is taken, and known from then on. */
  readonly unknown: 'strict' | 'accept-new';
}

/** Types of host keys that are asked for, best first. */
const TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Decides about the key that a server shows, by what known_hosts says of it. */
export class HostKeys {
  readonly #policy: HostKeyPolicy;
  readonly #name: string;
  readonly #entries: readonly KnownHost[];
  /** Why the last key was refused. */
  refusal: LabError | undefined;

  constructor(host: string, port: number, policy: HostKeyPolicy) {
    this.#policy = policy;
    this.#name = knownName(host, port);
    this.#entries = policy.files.flatMap((file) => parseKnownHosts(readIfThere(file)));
  }

  /** Algorithms to offer: those of the keys that are known come first, so that a known host shows a known key. */
  algorithms(): string[] {
    const types = knownTypes(this.#entries, this.#name);
    const known = TYPES.filter((type) => types.includes(type.startsWith('rsa-') ? 'ssh-rsa' : type));
    return [...known, ...TYPES.filter((type) => !known.includes(type))];
  }

  /** Whether to go on with a server that shows this key (its blob). */
  accept(blob: Buffer): boolean {
    const verdict = judge(this.#entries, this.#name, blob);
    if (verdict === 'known') return true;
    if (verdict === 'unknown' && this.#policy.unknown === 'accept-new') {
      const [file] = this.#policy.files;
      mkdirSync(dirname(file!), { recursive: true, mode: 0o700 });
      appendFileSync(file!, lineBreakFor(file!) + knownHostLine(this.#name, blob), { mode: 0o600 });
      return true;
    }
    this.refusal = verdict === 'unknown' ? this.#unknown(blob) : this.#changed(blob, verdict);
    return false;
  }

  #unknown(blob: Buffer): LabError {
    return new LabError(`the host key of ${this.#name} is not known: ${fingerprint(blob)}`, {
      code: 'ssh.host-key-unknown',
      hints: [
        'log in once with ssh, and compare the key it shows',
        "knownHosts: accept-new   under 'ssh:' (takes the key that is shown first)",
      ],
    });
  }

  #changed(blob: Buffer, verdict: 'changed' | 'revoked'): LabError {
    const what = verdict === 'revoked' ? 'is a revoked one' : 'has changed';
    return new LabError(
      `the host key of ${this.#name} ${what}: ${fingerprint(blob)}; somebody may be in between, or the machine was made anew`,
      {
        code: `ssh.host-key-${verdict}`,
        hints: [
          'find out why before anything else',
          `ssh-keygen -R '${this.#name}' -f ${this.#policy.files[0]}   (forgets the old key)`,
        ],
      },
    );
  }
}

/** As OpenSSH shows it. */
function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** A file that somebody edited may lack the end of its last line. */
function lineBreakFor(file: string): string {
  const text = readIfThere(file);
  return text === '' || text.endsWith('\n') ? '' : '\n';
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
