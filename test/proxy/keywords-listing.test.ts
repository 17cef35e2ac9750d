import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listKeywords, renderKeywords, renderKeywordsDocs } from '../../src/proxy/keywords-listing.ts';
import { LANGUAGE } from '../../src/proxy/language.ts';

describe('the list of keywords', () => {
  const groups = listKeywords();

  it('has no keyword twice in a group, and a sentence for each that is supported', () => {
    for (const { title, keywords } of groups) {
      const names = keywords.map((row) => row.keyword);
      expect(new Set(names).size, title).toBe(names.length);
      for (const row of keywords)
        if (row.support !== 'unsupported') expect(row.doc, `${title}: ${row.keyword}`).not.toBe('');
    }
  });

  it('does not call a keyword of a table unsupported', () => {
    for (const section of LANGUAGE.sections) {
      const refused = LANGUAGE.unsupported
        .filter((row) => row.section === section.keyword)
        .map((row) => row.keyword);
      expect(section.keywords.filter((row) => refused.includes(row.keyword))).toEqual([]);
    }
    const refused = LANGUAGE.unsupported.filter((row) => row.section === '').map((row) => row.keyword);
    expect(LANGUAGE.sections.filter((row) => refused.includes(row.keyword))).toEqual([]);
  });

  it('reads as text and as JSON', () => {
    expect(renderKeywords()).toMatch(/^Proxies\n {2}acl /m);
    const parsed = JSON.parse(renderKeywords('json'));
    expect(parsed.find((group: { title: string }) => group.title === 'Proxies').keywords[0].keyword).toBe(
      'acl',
    );
  });

  it('is what docs/keywords.md says (npm run docs)', () => {
    expect(readFileSync(new URL('../../docs/keywords.md', import.meta.url), 'utf8')).toBe(
      renderKeywordsDocs(),
    );
  });
});
