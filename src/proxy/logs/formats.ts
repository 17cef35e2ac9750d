/** The formats that need no `log-format` line (manual, sections 8.2.1 to 8.2.4). */
import type { ParseContext } from '../../config/language.ts';
import type { LogFormat } from '../expressions.ts';
import type { ProxyOptions } from '../settings.ts';
import { parseLogFormat } from './parse.ts';

const TCP = '%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq';
const HTTP =
  '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r';
const HTTP_CLF =
  '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl';
const HTTPS = `${HTTP} %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`;

export const BUILTIN_FORMATS: Record<NonNullable<ProxyOptions['log']>, string> = {
  tcp: TCP,
  http: HTTP,
  'http-clf': HTTP_CLF,
  https: HTTPS,
};

/** The format of a proxy that has chosen none; `%m` is the mode. */
export function connectFormat(name: string, mode: string): string {
  return `Connect from %ci:%cp to %fi:%fp (${name}/${mode.toUpperCase()})`;
}

/** Parses a format of this file: nothing in it can be wrong. */
export function builtinFormat(text: string): LogFormat {
  return parseLogFormat(text, { file: 'built-in', line: 1, column: 1 }, NO_CONTEXT);
}

const NO_CONTEXT: ParseContext = {
  report: (_severity, message) => {
    throw new Error(message);
  },
  later: () => {},
  readFile: () => undefined,
  configuration: undefined,
  place: { file: 'built-in', line: 1, column: 1 },
  environment: new Map(),
};
