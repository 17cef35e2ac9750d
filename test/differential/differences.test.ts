import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SUBJECTS } from './cases/index.ts';
import { renderDifferences } from './differences.ts';

const DOC = fileURLToPath(new URL('../../docs/differences.md', import.meta.url));

// `-u` renews the file.
test('docs/differences.md says what the tables say', async () => {
  await expect(renderDifferences(SUBJECTS)).toMatchFileSnapshot(DOC);
});

test('every difference has its row, and no case that is the same has one', () => {
  const text = renderDifferences([
    {
      name: 'a subject',
      cases: [
        { name: 'the same', client: '' },
        {
          name: 'not | alike',
          client: '',
          expect: {
            differs: 'because',
            haproxy: { status: [200], forwarded: 1 },
            engine: { status: [400], closed: true },
          },
        },
      ],
    },
    { name: 'nothing differs', cases: [{ name: 'the same too', client: '' }] },
  ]);
  expect(text).toContain('| not \\| alike | 200; forwarded | 400; closed | Because |');
  expect(text).not.toMatch(/the same too|\| the same \||Nothing differs/);
});

test('every subject is run by a test file, and every subject is in the list', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  const calls = files.flatMap((name) => [
    ...readFileSync(folder + name, 'utf8').matchAll(/^differential\((\w+)\);$/gm),
  ]);
  expect(calls.length).toBe(SUBJECTS.length);
  expect(new Set(calls.map(([, name]) => name)).size).toBe(SUBJECTS.length);
});

test('names of subjects and of the cases in them are their own', () => {
  expect(new Set(SUBJECTS.map((subject) => subject.name)).size).toBe(SUBJECTS.length);
  for (const { name, cases } of SUBJECTS) {
    const names = cases.map((fixture) => fixture.name);
    expect(
      names.filter((other, at) => names.indexOf(other) !== at),
      name,
    ).toEqual([]);
  }
});
