/** Whether a certificate was made out to a name (RFC 6125, section 6.4). */

/** As `getPeerCertificate` shows them: `DNS:a.test, IP Address:127.0.0.1`. */
export interface CertificateNames {
  readonly subject?: { readonly CN?: string | readonly string[] };
  readonly subjectaltname?: string;
}

/** Alternative names and the common name both count, as in HAProxy. A `*` stands for the first label, or a part of it. */
export function bearsName(certificate: CertificateNames, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  return namesOf(certificate).some((pattern) => matches(pattern.toLowerCase(), wanted));
}

export function namesOf({ subject, subjectaltname }: CertificateNames): string[] {
  const alternatives = (subjectaltname ?? '')
    .split(', ')
    .flatMap((each) => (each.startsWith('DNS:') ? [each.slice('DNS:'.length)] : []));
  const common = subject?.CN ?? [];
  return [...alternatives, ...(typeof common === 'string' ? [common] : common)];
}

function matches(pattern: string, name: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === name;
  const dot = pattern.indexOf('.');
  const nameDot = name.indexOf('.');
  // Only in the first label, and never for a whole top-level domain.
  if (dot < star || nameDot < 0 || pattern.indexOf('.', dot + 1) < 0) return false;
  if (pattern.slice(dot) !== name.slice(nameDot)) return false;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1, dot)];
  const label = name.slice(0, nameDot);
  return label.length > before.length + after.length && label.startsWith(before) && label.endsWith(after);
}
