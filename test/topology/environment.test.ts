import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMaskCharacters, maskReferences, substitute, unmask } from '../../src/topology/environment.ts';

describe('maskReferences', () => {
  const text = fc
    .array(fc.constantFrom(...'${}:-, []#&*!|>%@`?"\'\\\nAb_1', '${A}', '${A:-b, [c]}'))
    .map((p) => p.join(''));

  it('keeps places, and gives the text back', () => {
    fc.assert(
      fc.property(text, (original) => {
        const masked = maskReferences(original);
        expect(masked).toHaveLength(original.length);
        expect(masked.split('\n').map((line) => line.length)).toEqual(
          original.split('\n').map((line) => line.length),
        );
        expect(unmask(masked)).toBe(original);
      }),
    );
  });

  it('leaves nothing in a reference that YAML could read', () => {
    expect(maskReferences('{ a: ${B:-c, [d]: #e} }')).toMatch(/^\{ a: \$[^{}[\],:# ]+ \}$/);
    expect(hasMaskCharacters(maskReferences('no reference: { here }'))).toBe(false);
  });
});

describe('substitute', () => {
  it('suggests no other variable for one of a letter', () => {
    expect(substitute('${N}', { _: '/usr/bin/node', M: '1' }).mistakes).toEqual([
      {
        message: 'the environment has no N, and there is no default',
        hint: "set it, or write '${N:-default}'",
      },
    ]);
  });

  it.each([
    ['${A}', 'a'],
    ['x${A}y${A}z', 'xayaz'],
    ['${B:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${A:-d}', 'a'],
    ['${B:-}', ''],
    ['$${A} $A $', '${A} $A $'],
    ['${NESTED}', '${A}'],
  ])('%s becomes %s', (text, expected) => {
    const { text: result, mistakes } = substitute(text, { A: 'a', EMPTY: '', NESTED: '${A}' });
    expect(result).toBe(expected);
    expect(mistakes).toEqual([]);
  });

  it('names every variable, set or not, and stops suggesting some day', () => {
    expect(substitute('${A}${B:-}', { A: 'a' }).variables).toEqual(['A', 'B']);
    expect(substitute('${NO}'.repeat(1000), {}).mistakes).toHaveLength(20);
  });
});
