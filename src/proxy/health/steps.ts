/**
 * A health check as a list of steps on one connection, whatever its kind: `option httpchk`, `ssl-hello-chk` and plain
 * TCP are scripts of `tcp-check` too. Pure: bytes in, outcome out.
 */

import type { Server } from '../model.ts';
import type { ProxySettings, TcpCheckStep } from '../settings.ts';
import { expectHttp, httpRequest } from './http.ts';
import { expectHello, hello } from './ssl-hello.ts';

export interface CheckOutcome {
  /** A keyword of statuses.ts. */
  readonly status: string;
  /** HTTP status of the answer, 0 for none. */
  readonly code: number;
  /** What is known besides the status's own description; may be empty. */
  readonly info: string;
}

export type Step =
  | {
      readonly kind: 'connect';
      readonly port?: number;
      readonly ssl?: boolean;
      readonly sendProxy?: boolean;
      readonly where: string;
    }
  | { readonly kind: 'send'; readonly bytes: (server: Server) => Buffer; readonly where: string }
  | {
      readonly kind: 'expect';
      readonly judge: Judge;
      /** Status when nothing decisive came in time. */
      readonly timeout: string;
      /** ` at step 2 of tcp-check (expect string 'OK')`; empty for the built-in scripts. */
      readonly where: string;
    };

/**
 * Judges what was received so far. `ended`: nothing more will come. `undefined`: wait for more (never when ended);
 * `'next'`: as expected, go on with the next step.
 */
export type Judge = (received: Buffer, ended: boolean, server: Server) => CheckOutcome | 'next' | undefined;

export interface Script {
  readonly steps: readonly Step[];
  /** When every step was walked. */
  readonly passed: CheckOutcome;
}

const CONNECT: Step = { kind: 'connect', where: '' };
const L4OK: CheckOutcome = { status: 'L4OK', code: 0, info: '' };

const SCRIPTS: Readonly<Record<string, (settings: ProxySettings, node: string) => Script>> = {
  tcp: () => ({ steps: [CONNECT], passed: L4OK }),
  http: (settings, node) => ({
    steps: [
      CONNECT,
      { kind: 'send', bytes: httpRequest(settings.check, node), where: '' },
      { kind: 'expect', judge: expectHttp(settings.check), timeout: 'L7TOUT', where: '' },
    ],
    passed: { status: 'L7OK', code: 0, info: '' },
  }),
  'ssl-hello': () => ({
    steps: [
      CONNECT,
      { kind: 'send', bytes: hello, where: '' },
      { kind: 'expect', judge: expectHello, timeout: 'L6TOUT', where: '' },
    ],
    passed: { status: 'L6OK', code: 0, info: '' },
  }),
  'tcp-check': (settings) => tcpCheck(settings.check.tcpSteps),
};

/** The script of a backend's checks. `node` is the name that `http-check send-state` tells the server. */
export function compileScript(settings: ProxySettings, node: string): Script {
  return (SCRIPTS[settings.check.type] ?? SCRIPTS.tcp!)(settings, node);
}

function tcpCheck(written: readonly TcpCheckStep[]): Script {
  const steps = written.map((step, i) => compileStep(step, i + 1));
  if (written[0]?.kind !== 'connect')
    steps.unshift({ kind: 'connect', where: ' at initial connection step of tcp-check' });
  const connectsOnly = steps.every((step) => step.kind === 'connect');
  return { steps, passed: connectsOnly ? L4OK : { status: 'L7OK', code: 0, info: '(tcp-check)' } };
}

function compileStep(step: TcpCheckStep, number: number): Step {
  const at = ` at step ${number} of tcp-check`;
  if (step.kind === 'connect') {
    const { port, ssl, sendProxy } = step;
    return {
      kind: 'connect',
      port,
      ssl,
      sendProxy,
      where: `${at} (connect${port === undefined ? '' : ` port ${port}`})`,
    };
  }
  if (step.kind === 'send') {
    const bytes = Buffer.from(step.data, 'latin1');
    return { kind: 'send', bytes: () => bytes, where: `${at} (send)` };
  }
  const what = DESCRIBED[step.match](step.value);
  return {
    kind: 'expect',
    judge: expectContent(step, number),
    timeout: 'L7TOUT',
    where: `${at} (expect ${what.step})`,
  };
}

/** How the kinds of `tcp-check expect` name themselves: in the name of their step, and as content. */
const DESCRIBED: Record<
  'string' | 'rstring' | 'binary',
  (value: string) => { step: string; content: string }
> = {
  string: (value) => ({ step: `string '${value}'`, content: `'${value}'` }),
  rstring: () => ({ step: 'regex', content: '(regex)' }),
  binary: () => ({ step: 'binary', content: '(binary)' }),
};

function expectContent(step: Extract<TcpCheckStep, { kind: 'expect' }>, number: number): Judge {
  const matches = contentMatcher(step);
  const { content } = DESCRIBED[step.match](step.value);
  const shortest = step.match === 'rstring' ? 1 : step.value.length;
  const fail = (info: string): CheckOutcome => ({
    status: 'L7RSP',
    code: 0,
    info: `${info} at step ${number}`,
  });
  return (received, ended) => {
    if (received.length === 0) return ended ? fail('TCPCHK got an empty response') : undefined;
    if (matches(received)) return step.negate ? fail(`TCPCHK matched unwanted content ${content}`) : 'next';
    if (!ended && (!step.negate || received.length < shortest)) return undefined;
    return step.negate ? 'next' : fail(`TCPCHK did not match content ${content}`);
  };
}

function contentMatcher(step: Extract<TcpCheckStep, { kind: 'expect' }>): (received: Buffer) => boolean {
  if (step.match === 'rstring') {
    const pattern = new RegExp(step.value);
    return (received) => pattern.test(received.latin1Slice());
  }
  const wanted = Buffer.from(step.value, 'latin1');
  return (received) => received.includes(wanted);
}
