import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigError, renderDiagnostics } from '../../src/errors.ts';
import { parseTopology } from '../../src/topology/parse.ts';

/**
 * Each file of refusals/ is a topology, a line of dashes, and what lablb says about it.
 * UPDATE_FIXTURES=1 writes what it says now: read the difference before it is committed.
 */
const FOLDER = fileURLToPath(new URL('./refusals/', import.meta.url));
const LINE = '----\n';

describe('refusals', () => {
  for (const name of readdirSync(FOLDER)) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const [text, expected] = readFileSync(`${FOLDER}${name}`, 'utf8').split(LINE) as [string, string];
      const said = `${refusalOf(text)}\n`;
      if (process.env.UPDATE_FIXTURES) writeFileSync(`${FOLDER}${name}`, `${text}${LINE}${said}`);
      else expect(said).toBe(expected);
    });
  }
});

function refusalOf(text: string): string {
  try {
    parseTopology(text, { file: 'x.lab.yaml', env: { TITLE: 'x' } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return renderDiagnostics(error.diagnostics, error.sources);
  }
  throw new Error('not refused');
}
