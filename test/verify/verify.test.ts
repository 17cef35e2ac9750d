import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { barChart } from '../../src/verify/chart.ts';
import { junitXml } from '../../src/verify/junit.ts';
import { titleIn } from '../../src/verify/page.ts';
import { curlCommand, showCommand } from '../../src/verify/request.ts';
import { countInTurn } from '../../src/verify/roundrobin.ts';
import { sitesOf } from '../../src/verify/stats.ts';
import { renderSuiteDocs } from '../../src/verify/suite-docs.ts';
import { SUITES, suitesNamed } from '../../src/verify/suites.ts';

describe('in turn', () => {
  it.each([
    ['A B A B', 4],
    ['B A B', 3],
    ['A', 1],
    ['A A B', 1],
    ['A B B A', 2],
    ['A B X', 2],
    ['X A B', 0],
    ['', 0],
  ])('%j has %i answers in turn', (sequence, count) => {
    expect(countInTurn(sequence.split(' ').filter(Boolean), ['A', 'B'])).toBe(count);
  });

  it('asks for the order of three, not only for a change', () => {
    expect(countInTurn(['B', 'C', 'A', 'B'], ['A', 'B', 'C'])).toBe(4);
    expect(countInTurn(['A', 'C', 'B'], ['A', 'B', 'C'])).toBe(1);
  });
});

describe('the title of a page', () => {
  it.each([
    ['<h1>SITE1 HTTP Server <strong>Test Page</strong></h1>', 'SITE1'],
    ['<h1>SITE10 HTTP Server</h1>', 'SITE10'],
    ['<h1>SITE1</h1>', 'SITE1'],
    ['<H1 class="x">\n A &amp; B HTTP Server</H1>', 'A & B'],
    ['<h1>&quot;C&quot; &#x27;s &#x60;x&#x60; a&#x3D;b &amp;lt; HTTP Server</h1>', `"C" 's \`x\` a=b &lt;`],
    ['<h1>503 Service Unavailable</h1>', undefined],
    ['no heading: SITE1 HTTP', undefined],
  ])('of %j is %s', (body, title) => {
    expect(titleIn(body, ['SITE1', 'SITE10', 'A & B', `"C" 's \`x\` a=b &lt;`])).toBe(title);
  });

  it('is the longer one of two that fit', () => {
    expect(titleIn('<h1>SITE 1 HTTP Server</h1>', ['SITE', 'SITE 1'])).toBe('SITE 1');
  });
});

it('draws bars to scale, with a row for what nobody expected', () => {
  expect(barChart(['A', 'BB'], ['A', 'A', 'status 503'])).toEqual([
    'A          ████ 2',
    'BB         0',
    'status 503 ██ 1',
  ]);
  expect(barChart(['A'], Array(1000).fill('A'))[0]).toBe(`A ${'█'.repeat(40)} 1000`);
});

it('shows a command that a shell takes as it is', () => {
  expect(showCommand(curlCommand({ url: 'http://127.0.0.1:8080/', host: 'a.test' }))).toBe(
    "curl -s -H 'Host: a.test' http://127.0.0.1:8080/",
  );
  expect(showCommand(['echo', "it's", ''])).toBe("echo 'it'\\''s' ''");
});

it('reads which servers are in use from the statistics, whatever the columns', () => {
  const csv = [
    '# pxname,svname,type,status,',
    'front,FRONTEND,0,OPEN,',
    'site1,web1,2,UP,',
    'site1,web2,2,DOWN 1/2,',
    'site1,BACKEND,1,UP,',
    'site2,web1,2,no check,',
    'site2,web2,2,UP 1/3,',
    'site2,web3,2,MAINT,',
    'site2,web4,2,DRAIN,',
    '',
  ].join('\n');
  expect(sitesOf(csv)).toEqual([
    { name: 'site1', up: 1, total: 2 },
    { name: 'site2', up: 2, total: 4 },
  ]);
  expect(sitesOf('<html>401</html>')).toEqual([]);
});

it('writes XML that holds whatever a message holds', () => {
  const xml = junitXml('lab', [
    {
      suite: 'roundrobin',
      cases: [
        { name: 'a"b', ms: 1234, failure: 'x < y & "z"\n\u0007' },
        { name: 'ok', ms: 0 },
        { name: 'no', ms: 0, skipped: 'why' },
      ],
    },
  ]);
  expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="roundrobin" tests="3" failures="1" errors="0" skipped="1" time="1.234">
    <testcase classname="lab.roundrobin" name="a&#34;b" time="1.234">
      <failure message="x &#60; y &#38; &#34;z&#34;&#10;\ufffd"/>
    </testcase>
    <testcase classname="lab.roundrobin" name="ok" time="0.000"/>
    <testcase classname="lab.roundrobin" name="no" time="0.000">
      <skipped message="why"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});

it('knows its suites, and what was probably meant', () => {
  expect(suitesNamed([])).toEqual(SUITES);
  expect(suitesNamed(['roundrobin', 'all'])).toEqual(SUITES);
  expect(suitesNamed(['roundrobin', 'roundrobin']).map(({ name }) => name)).toEqual(['roundrobin']);
  expect(() => suitesNamed(['roundrobbin'])).toThrow("did you mean 'roundrobin'?");
});

it('has its page of suites written from the table', () => {
  expect(readFileSync(new URL('../../docs/suites.md', import.meta.url), 'utf8')).toBe(
    renderSuiteDocs(SUITES),
  );
});
