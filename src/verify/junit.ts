import type { CaseResult } from './suite.ts';

export interface SuiteResult {
  readonly suite: string;
  readonly cases: readonly CaseResult[];
}

/** Results in the XML that CI systems read (the JUnit format as Jenkins and GitLab have it). */
export function junitXml(lab: string, results: readonly SuiteResult[]): string {
  const suites = results.map(({ suite, cases }) => {
    const failures = cases.filter((one) => one.failure !== undefined).length;
    const skipped = cases.filter((one) => one.skipped !== undefined).length;
    const time = seconds(cases.reduce((sum, one) => sum + one.ms, 0));
    return [
      `  <testsuite name=${attribute(suite)} tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${time}">`,
      ...cases.map((one) => caseXml(`${lab}.${suite}`, one)),
      '  </testsuite>',
    ].join('\n');
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join(
    '\n',
  );
}

function caseXml(className: string, { name, ms, failure, skipped }: CaseResult): string {
  const open = `    <testcase classname=${attribute(className)} name=${attribute(name)} time="${seconds(ms)}"`;
  if (failure !== undefined)
    return `${open}>\n      <failure message=${attribute(failure)}/>\n    </testcase>`;
  if (skipped !== undefined)
    return `${open}>\n      <skipped message=${attribute(skipped)}/>\n    </testcase>`;
  return `${open}/>`;
}

function attribute(text: string): string {
  const safe = text
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '\ufffd') // not allowed in XML 1.0, escaped or not
    .replace(/[&<>"\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `"${safe}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
