/** Certificates and authorities that a configuration names: read while it is, so that `-c` finds what is wrong with them. */
import type { ParseContext } from '../../config/language.ts';
import { didYouMean, type Place } from '../../errors.ts';
import { type Certificate, CertificateFault, readAuthorities, readCertificate } from './certificate.ts';

/** What `crt` names: a file, or every certificate of a folder in the order of names. Faults are reported at `place`. */
export function loadCertificates(path: string, place: Place, context: ParseContext): Certificate[] {
  const names = context.readDir?.(path);
  const files = names
    ?.filter((name) => !name.startsWith('.') && !BESIDE.some((ending) => name.endsWith(ending)))
    .toSorted()
    .map((name) => `${path.replace(/\/+$/, '')}/${name}`);
  if (files?.length === 0)
    context.report(
      'error',
      `no certificate in the folder '${path}'`,
      place,
      'put PEM files with certificate and key there',
    );
  return (files ?? [path]).flatMap((file) =>
    attempt(
      place,
      context,
      () => {
        const text = readText(file, 'certificate', context);
        return [readCertificate(file, text, context.readFile(`${file}.key`))];
      },
      [],
    ),
  );
}

/** What `ca-file` names, as one text; undefined after a fault, which is reported. */
export function loadAuthorities(path: string, place: Place, context: ParseContext): string | undefined {
  return attempt(
    place,
    context,
    () => {
      if (path === SYSTEM) return systemAuthorities(context);
      const files = context.readDir?.(path)?.map((name) => `${path.replace(/\/+$/, '')}/${name}`);
      return (files ?? [path]).map((file) => readAuthorities(file, readText(file, 'CA', context))).join('');
    },
    undefined,
  );
}

/** Files that go with a certificate and are none. */
const BESIDE = ['.key', '.issuer', '.ocsp', '.sctl', '.dh'];

const SYSTEM = '@system-ca';
/** Where Debian, Red Hat, SUSE and Alpine keep them. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

function systemAuthorities(context: ParseContext): string {
  for (const file of SYSTEM_FILES) {
    const text = context.readFile(file);
    if (text !== undefined) return readAuthorities(file, text);
  }
  throw new CertificateFault(`this system has no authorities for '${SYSTEM}'`, 'install ca-certificates');
}

function readText(path: string, what: string, context: ParseContext): string {
  const text = context.readFile(path);
  if (text !== undefined) return text;
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const siblings = context.readDir?.(slash < 0 ? '.' : path.slice(0, slash + 1));
  if (siblings?.includes(name))
    throw new CertificateFault(
      `the ${what} file '${path}' may not be read`,
      'it is there, but not for this user: keys are often for root alone',
    );
  throw new CertificateFault(
    `no ${what} file '${path}'`,
    didYouMean(name, siblings?.filter((sibling) => !sibling.startsWith('.')) ?? []),
  );
}

function attempt<T>(place: Place, context: ParseContext, load: () => T, otherwise: T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof CertificateFault)) throw error;
    context.report('error', error.message, place, error.hint);
    return otherwise;
  }
}
