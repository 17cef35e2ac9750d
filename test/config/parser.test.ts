import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/config/language.ts';
import { parseFiles, type SourceFile } from '../../src/config/parser.ts';
import { renderDiagnostics } from '../../src/errors.ts';

/** A small language of its own: the parser knows no keyword. */
interface Box {
  name: string;
  lines: string[];
}

const LANGUAGE: Language = {
  sections: [
    {
      keyword: 'box',
      usage: '<name>',
      doc: 'A box',
      open: (words, context) => {
        const box: Box = { name: words.take('a name').text, lines: [] };
        words.end();
        (context.configuration as Box[]).push(box);
        return box;
      },
      keywords: [
        {
          keyword: 'put',
          usage: '<thing>…',
          doc: 'Put things in',
          parse: (words, box: Box) => {
            box.lines.push(
              `put ${words
                .rest()
                .map((w) => w.text)
                .join('|')}`,
            );
          },
        },
        {
          keyword: 'put under glass',
          usage: '<thing>',
          doc: 'Put one thing under glass',
          support: 'noted',
          parse: (words, box: Box) => {
            box.lines.push(`glass ${words.take('a thing').text}`);
            words.end();
          },
        },
        {
          keyword: 'light on',
          usage: '',
          doc: 'Light it',
          parse: (words, box: Box) => {
            words.end();
            box.lines.push('on');
          },
          without: (words, box: Box, _context, how) => {
            words.end();
            box.lines.push(how);
          },
        },
        { keyword: 'light up', usage: '', doc: 'Light it up', parse: (words) => words.end() },
        {
          keyword: 'setenv',
          usage: '<name> <value>',
          doc: '',
          parse: (words, _box, context) => {
            context.environment.set(words.take('a name').text, words.take('a value').text);
          },
        },
      ],
      close: (box: Box, context) => {
        if (box.lines.length === 0) context.report('warning', `box '${box.name}' is empty`, context.place);
      },
    },
    {
      keyword: 'shelf',
      usage: '',
      doc: 'A shelf',
      open: (words) => words.end(),
      keywords: [{ keyword: 'hold', usage: '', doc: '', parse: (w) => w.end() }],
    },
  ],
  predicates: [
    { keyword: 'defined', usage: 'defined(<name>)', doc: '', args: 1, evaluate: ([n], env) => env.has(n!) },
  ],
  unsupported: [
    { section: '', keyword: 'cellar' },
    { section: 'box', keyword: 'put away' },
    { section: 'box', keyword: 'paint' },
  ],
};

function parse(files: string | SourceFile[], env: Record<string, string> = {}) {
  const configuration: Box[] = [];
  const noted: string[] = [];
  const sources = typeof files === 'string' ? [{ name: 'a.cfg', text: files }] : files;
  const outcome = parseFiles(sources, LANGUAGE, {
    configuration,
    environment: new Map(Object.entries(env)),
    readFile: () => undefined,
    note: (row) => noted.push(row.keyword),
  });
  const found = outcome.diagnostics.map(
    (d) => `${d.place?.line}:${d.place?.column} ${d.severity} ${d.message}${d.hint ? ` (${d.hint})` : ''}`,
  );
  return { boxes: configuration, noted, found, ...outcome };
}

describe('parser', () => {
  it('reads sections, keywords of one and of several words, and comments', () => {
    const { boxes, noted, found } = parse(
      '# hello\nbox a # x\n  put 1 "2 3"\n  put under glass 4\n\tlight on\n\nbox b\nput\n',
    );
    expect(found).toEqual([]);
    expect(boxes).toEqual([
      { name: 'a', lines: ['put 1|2 3', 'glass 4', 'on'] },
      { name: 'b', lines: ['put '] },
    ]);
    expect(noted).toEqual(['put under glass']);
  });

  it('reads files with CRLF', () => {
    const { boxes, found } = parse('box a\r\n put 1\r\n');
    expect(found).toEqual([]);
    expect(boxes[0]!.lines).toEqual(['put 1']);
  });

  it('refuses a byte order mark, once, and reads the rest', () => {
    const { boxes, found, sources } = parse('\xef\xbb\xbfbox a\n put 1\n');
    expect(found).toEqual([
      "1:1 error the file begins with a byte order mark, which HAProxy does not read (remove it: save the file as 'UTF-8 without BOM')",
    ]);
    expect(boxes[0]!.lines).toEqual(['put 1']);
    expect(sources.get('a.cfg')).toBe('box a\n put 1\n');
  });

  it("hands 'no' and 'default' to rows that know them, and refuses them elsewhere", () => {
    const { boxes, found } = parse('box a\n no light on\n default light on\n no put 1\n');
    expect(boxes[0]!.lines).toEqual(['no', 'default']);
    expect(found).toEqual(["4:2 error 'no' is not possible for 'put'"]);
  });

  it('finds every mistake of a file, in order, each with its place and a way out', () => {
    const text = [
      'put 1',
      'box',
      'bax c',
      'box a',
      ' putt 1',
      ' light',
      ' light onn',
      ' light on x',
      ' put away 3',
      ' paint red',
      ' hold',
      " put 'x",
      'cellar',
      ' anything goes',
      'box b c',
      ' put under glass',
    ].join('\n');
    expect(parse(`${text}\n`).found).toEqual([
      "1:1 error 'put' stands before any section (a section starts with box, shelf)",
      "2:4 error 'box' wants a name",
      "4:1 warning box 'a' is empty",
      "5:2 error unknown keyword 'putt' in section 'box' (did you mean 'put'?)",
      "6:2 error 'light' wants one of on, up",
      "7:8 error unknown 'light onn' (did you mean 'on'?)",
      "8:11 error 'light on' does not take 'x' here",
      "9:2 error 'put away' is not supported by this engine yet",
      "10:2 error 'paint' is not supported by this engine yet",
      "11:2 error unknown keyword 'hold' in section 'box' (it belongs in 'shelf')",
      "12:6 error this quote is never closed (add the closing ')",
      "13:1 error section 'cellar' is not supported by this engine yet",
      "15:7 error 'box' does not take 'c' here",
    ]);
  });

  it('closes sections, with the place where they began', () => {
    expect(parse('box a\nbox b\n light up\n').found).toEqual([
      "1:1 warning box 'a' is empty",
      "2:1 warning box 'b' is empty",
    ]);
  });

  it('refuses a last line without its end, as it may have been cut off, and reads it all the same', () => {
    const { boxes, found } = parse('box a\n put 1');
    expect(boxes[0]!.lines).toEqual(['put 1']);
    expect(found).toEqual([
      '2:7 error the last line has no line end: the file may have been cut off (end the file with a newline)',
    ]);
  });

  it('counts columns in characters, and hands over bytes', () => {
    const utf8 = Buffer.from('box é😀\n put ü x nope\n lüght on\n', 'utf8').toString('latin1');
    const { boxes, diagnostics, sources } = parse(utf8);
    expect(boxes[0]!.lines).toEqual([`put ${Buffer.from('ü').toString('latin1')}|x|nope`]);
    expect(renderDiagnostics(diagnostics, sources)).toBe(
      "a.cfg:3:2  unknown keyword 'lüght' in section 'box'; did you mean 'light'?\n   3 |  lüght on\n     |  ^^^^^",
    );
  });

  it('reads text that is no UTF-8 as one character a byte', () => {
    const { found } = parse('box \xe9\xff\n put\n x\xe9 y\n');
    expect(found).toEqual(["3:2 error unknown keyword 'x\xe9' in section 'box'"]);
  });

  it('changes the environment for the lines below', () => {
    const { boxes } = parse('box a\n put "$A"\n setenv A 1\n put "$A"\n.if defined(A)\n put yes\n.endif\n');
    expect(boxes[0]!.lines).toEqual(['put ', 'put 1', 'put yes']);
  });

  it('knows file, line and section by pseudo-variables', () => {
    expect(parse('box "b${.LINE}"\n put "${.FILE}:${.LINE}" "$.SECTION"\n').boxes).toEqual([
      { name: 'b1', lines: ['put a.cfg:2|b1'] },
    ]);
  });

  it('does not carry a section from one file to the next', () => {
    const files = [
      { name: 'a.cfg', text: 'box a\n put 1\n' },
      { name: 'b.cfg', text: ' put 2\n' },
    ];
    const { diagnostics, boxes } = parse(files);
    expect(boxes[0]!.lines).toEqual(['put 1']);
    expect(diagnostics.map((d) => [d.place?.file, d.place?.line])).toEqual([['b.cfg', 1]]);
  });

  it('refuses more words than HAProxy takes', () => {
    expect(parse(`box a\n put ${'x '.repeat(63)}\n`).found).toEqual([]);
    expect(parse(`box a\n put ${'x '.repeat(64)}\n light on\n`).found).toEqual([
      '2:132 error more than 64 words in one line',
    ]);
  });
});

describe('blocks', () => {
  const lines = (text: string, env = {}) => {
    const { boxes, found } = parse(`box a\n${text}\n`, env);
    return [...boxes[0]!.lines, ...found];
  };

  it.each<[string, string[]]>([
    ['.if 1\nput 1\n.else\nput 2\n.endif\nput 3', ['put 1', 'put 3']],
    ['.if 0\nput 1\n.else\nput 2\n.endif\nput 3', ['put 2', 'put 3']],
    ['.if\nput 1\n.endif\nput 3', ['put 3']],
    ['.if 0\nput 1\n.elif 1\nput 2\n.elif 1\nput 3\n.else\nput 4\n.endif', ['put 2']],
    [
      '.if 1\n.if 0\nput 1\n.else\nput 2\n.endif\nput 3\n.else\n.if 1\nput 4\n.endif\n.endif',
      ['put 2', 'put 3'],
    ],
    [
      '.if 0\n.if nonsense\n.else\nput 1\n.elif 1\n.endif\n.endif\nput 2',
      ['put 2', "6:1 error '.elif' after '.else'"],
    ],
    ['.if 0\n nonsense here\n.endif\nput 2', ['put 2']],
    ['.if "$A" # comment\nput 1\n.endif\nput 2', ['put 1', 'put 2']],
    ['put 1\n.if 1', ['put 1', "3:1 error this '.if' is never closed by '.endif'"]],
    ['put 1\n.endif', ['put 1', "3:1 error '.endif' without an '.if' before it"]],
    ['put 1\n.elif 1', ['put 1', "3:1 error '.elif' without an '.if' before it"]],
    ['put 1\n.if 1\n.else\n.else\n.endif', ['put 1', "5:1 error a second '.else' in one '.if'"]],
    ['put 1\n.if 1\n.endif x', ['put 1', "4:8 error '.endif' takes nothing behind it"]],
    ['put 1\n.notice "hello there"', ['put 1', '3:1 notice hello there']],
    ['put 1\n.warning hm', ['put 1', '3:1 warning hm']],
    ['put 1\n.alert no', ['put 1', '3:1 error no']],
    ['put 1\n.diag psst', ['put 1']],
    [
      'put 1\n.notice a b',
      ['put 1', "3:11 error '.notice' takes one word; 'b' is one too many (put the message between quotes)"],
    ],
    ['put 1\n.if 0\n.alert no\n.endif', ['put 1']],
  ])('%j', (text, expected) => {
    expect(lines(text, { A: '1' }).toSorted()).toEqual(expected.toSorted());
  });

  it('shows where in a condition the mistake is', () => {
    expect(lines('put 1\n.if defined(A) && 1 x\n.endif')).toEqual([
      'put 1',
      "3:21 error 'x' does not belong here",
    ]);
    expect(lines('put 1\n.if 1 && strec(a)\n.endif')[1]).toMatch(/^3:10 error 'strec' is neither/);
  });

  it('cuts even lines that are left out into words, as HAProxy does', () => {
    expect(lines("put 1\n.if 0\n 'x\n.endif")).toEqual([
      'put 1',
      "4:2 error this quote is never closed (add the closing ')",
    ]);
  });

  it('nests far', () => {
    const deep = 20_000;
    expect(lines(`${'.if 1\n'.repeat(deep)}put 1\n${'.endif\n'.repeat(deep)}`)).toEqual(['put 1']);
  });
});

describe('any text', () => {
  it('yields findings with places inside of the file, and never throws', () => {
    const word = fc.constantFrom(
      'box',
      'put',
      'under',
      'glass',
      'light',
      'on',
      'no',
      '.if',
      '.else',
      '.endif',
      '1',
      '"',
      "'",
      '\\',
      '$',
      '#',
      '${',
      'é',
      '\xc3\xa9',
      '\0',
      '\t',
      'setenv',
      'cellar',
      'defined(A)',
    );
    const text = fc
      .array(fc.tuple(word, fc.constantFrom(' ', '', '\n', '\r\n')), { maxLength: 60 })
      .map((parts) => parts.flat().join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary', maxLength: 200 })), (source) => {
        const latin1 = Buffer.from(source, 'latin1').toString('latin1');
        const { diagnostics, sources } = parse(latin1);
        const lines = sources.get('a.cfg')!.split('\n');
        for (const { place } of diagnostics) {
          const line = lines[place!.line - 1]!;
          expect(line).toBeDefined();
          expect(place!.column).toBeGreaterThanOrEqual(1);
          expect(place!.column).toBeLessThanOrEqual(line.length + 1);
          expect(place!.length ?? 1).toBeGreaterThanOrEqual(1);
        }
        renderDiagnostics(diagnostics, sources);
      }),
      { numRuns: 1500 },
    );
  });
});
