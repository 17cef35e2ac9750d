/** Between the bytes of a file and the characters that a reader counts. */

/** A file's text for excerpts and messages: UTF-8 where it is that, otherwise one character a byte. */
export function decodeText(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return latin1;
  }
}

/** From bytes of a line to columns (from 1) of the same line after `decodeText`. */
export function columnsOf(line: string, isUtf8: boolean): (byte: number) => number {
  if (!isUtf8 || !/[\x80-\xff]/.test(line)) return (byte) => byte + 1;
  const columns = new Int32Array(line.length + 1);
  let column = 1;
  for (let byte = 0; byte < line.length; byte++) {
    const code = line.charCodeAt(byte);
    const continues = code >= 0x80 && code < 0xc0;
    columns[byte] = continues ? column - 1 : column;
    // Characters of four bytes are two units of a JavaScript string.
    if (!continues) column += code >= 0xf0 ? 2 : 1;
  }
  columns[line.length] = column;
  return (byte) => columns[Math.min(byte, line.length)]!;
}
