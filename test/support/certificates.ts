import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  /** Text of the certificate, of its key, and of both in one, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly pem: string;
  /** Files of the same. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly pemFile: string;
}

/** A certificate authority of its own, made by openssl in a folder that `remove` removes. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'lablb-ca-'));
  readonly own: Issued;

  constructor(name: string) {
    this.openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', `/CN=${name}`);
    this.own = this.#issued('ca');
  }

  /** A certificate for these names, the first of which is its common name. */
  issue(...names: [string, ...string[]]): Issued {
    const file = names[0].replaceAll('*', 'any');
    const alternatives = names
      .map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`))
      .join(',');
    writeFileSync(join(this.folder, `${file}.ext`), `subjectAltName=${alternatives}`);
    this.openssl(
      'req',
      ...NEW_KEY,
      '-keyout',
      `${file}.key`,
      '-out',
      `${file}.csr`,
      '-subj',
      `/CN=${names[0]}`,
    );
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30'];
    this.openssl(
      'x509',
      '-req',
      '-in',
      `${file}.csr`,
      ...by,
      '-extfile',
      `${file}.ext`,
      '-out',
      `${file}.crt`,
    );
    return this.#issued(file);
  }

  /** Runs openssl in the folder. */
  openssl(...args: string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #issued(name: string): Issued {
    const [certFile, keyFile, pemFile] = ['crt', 'key', 'pem'].map((end) =>
      join(this.folder, `${name}.${end}`),
    );
    const cert = readFileSync(certFile!, 'latin1');
    const key = readFileSync(keyFile!, 'latin1');
    writeFileSync(pemFile!, cert + key, { mode: 0o600 });
    return { cert, key, pem: cert + key, certFile: certFile!, keyFile: keyFile!, pemFile: pemFile! };
  }
}

/** Elliptic curves: quick to make. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
