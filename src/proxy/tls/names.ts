/** Which of several certificates a client gets for the name it asked for. */

/**
 * The first certificate with the name itself, then the first with `*` in place of its first label (manual, bind option
 * `crt`); undefined for none.
 */
export function chooseByName(
  certificates: readonly { readonly names: readonly string[] }[],
): (serverName: string) => number | undefined {
  const byName = new Map<string, number>();
  certificates.forEach(({ names }, i) => {
    for (const name of names) if (!byName.has(name)) byName.set(name, i);
  });
  return (serverName) => {
    const name = serverName.toLowerCase();
    const exact = byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot < 0 ? undefined : byName.get(`*${name.slice(dot)}`);
  };
}
