/** Decides whether a transaction is logged, how and where to (manual, keywords `log`, `log-format`, section 8.3). */
import type { CompileEnv } from '../expressions.ts';
import type { Configuration, LogTarget, ProxySettings } from '../settings.ts';
import type { Transaction } from '../transaction.ts';
import { compileLogWriter, type WriteLine } from './format.ts';
import { BUILTIN_FORMATS, builtinFormat, connectFormat } from './formats.ts';
import { compileHeader } from './header.ts';
import type { LogOutputs } from './output.ts';

/** Called when a transaction is over (or a connection ended without one). */
export function makeLogger(
  settings: ProxySettings,
  env: CompileEnv,
  outputs: LogOutputs,
): (tx: Transaction) => void {
  const sends = makeSends(settings, env.configuration, outputs);
  if (sends.length === 0) return () => {};
  const { dontlognull, dontlogNormal, logSeparateErrors } = settings.options;
  const text = settings.logFormat ?? builtinFormat(ownFormat(settings));
  const message = compileLogWriter(text, env);
  return (tx) => {
    const { logLevel } = tx;
    if (logLevel === SILENT) return;
    if (dontlognull && isNull(tx)) return;
    let level = INFO;
    if (dontlogNormal || logSeparateErrors) {
      const failed = isFailure(tx, settings.mode);
      if (dontlogNormal && !failed) return;
      if (logSeparateErrors && failed) level = ERR;
    }
    for (let i = 0; i < sends.length; i++) sends[i]!(logLevel ?? level, message, tx);
  };
}

/** For messages that belong to a proxy (a server that is down …): texts in messages.ts. */
export function makeMessenger(
  settings: ProxySettings,
  configuration: Configuration,
  outputs: LogOutputs,
): (level: number, message: string) => void {
  const sends = makeSends(settings, configuration, outputs);
  return (level, message) => {
    for (const send of sends) send(level, message);
  };
}

const ERR = 3;
const INFO = 6;
const SILENT = -1;

/** A text, or what writes it for a transaction. */
type Send = (level: number, message: string | WriteLine, tx?: Transaction) => void;

/** One a target; none when the proxy logs nowhere. */
function makeSends(settings: ProxySettings, configuration: Configuration, outputs: LogOutputs): Send[] {
  const { global } = configuration;
  const targets = [...(settings.logGlobal ? global.logs : []), ...settings.logs];
  const parts = {
    tag: settings.logTag ?? global.logTag,
    pid: process.pid,
    hostname: global.logSendHostname,
  };
  return targets.map((target): Send => {
    const header = compileHeader(target, parts);
    const output = outputs.of(target);
    const isWanted = compileSampling(target);
    const { level: least, length } = target;
    return (level, message, tx) => {
      if (level > least || !isWanted()) return;
      const before = header(level, Date.now());
      if (typeof message === 'string') output.line(before, message, length);
      else output.write(before, message, tx as Transaction, length);
    };
  });
}

/** Which of every `size` messages are sent, counted from 1. */
function compileSampling({ sample }: LogTarget): () => boolean {
  if (sample === undefined) return () => true;
  const { ranges, size } = sample;
  let count = 0;
  return () => {
    count = (count % size) + 1;
    return ranges.some(([from, to]) => count >= from && count <= to);
  };
}

function ownFormat(settings: ProxySettings): string {
  const { log } = settings.options;
  // An HTTP format in a proxy of mode tcp is taken as the TCP one, as HAProxy does with a warning.
  if (log !== undefined) return BUILTIN_FORMATS[settings.mode === 'tcp' ? 'tcp' : log];
  return connectFormat(settings.name, settings.mode);
}

/** Nothing was exchanged: probes, browsers that connect ahead. */
function isNull(tx: Transaction): boolean {
  return tx.bytesIn === 0;
}

/** Errors, retries, redispatches and statuses from 500 on; what the proxy answered by itself is no failure. */
function isFailure(tx: Transaction, mode: 'tcp' | 'http'): boolean {
  const cause = tx.termination[0];
  if (tx.redispatched || (cause !== '-' && cause !== 'L')) return true;
  if (cause === '-' && tx.retries > 0) return true;
  return mode === 'http' && tx.status >= 500;
}
