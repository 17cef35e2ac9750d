/**
 * How a health check can end, named as in HAProxy's statistics (management manual, section 9.1, `check_status`).
 * `code` is the number in `show servers state`.
 */
export interface StatusRow {
  readonly keyword: string;
  readonly code: number;
  readonly description: string;
  readonly result: CheckResult;
}

/** `neutral` says nothing about the server; `conditional` is up, but without new sessions (`disable-on-404`). */
export type CheckResult = 'unknown' | 'neutral' | 'failed' | 'passed' | 'conditional';

export const RESULT_CODES: Readonly<Record<CheckResult, number>> = {
  unknown: 0,
  neutral: 1,
  failed: 2,
  passed: 3,
  conditional: 4,
};

const rows: readonly StatusRow[] = [
  { keyword: 'UNK', code: 0, description: 'Unknown', result: 'unknown' },
  { keyword: 'INI', code: 1, description: 'Initializing', result: 'unknown' },
  { keyword: 'HANA', code: 4, description: 'Health analyze', result: 'failed' },
  { keyword: 'SOCKERR', code: 5, description: 'Socket error', result: 'failed' },
  { keyword: 'L4OK', code: 6, description: 'Layer4 check passed', result: 'passed' },
  { keyword: 'L4TOUT', code: 7, description: 'Layer4 timeout', result: 'failed' },
  { keyword: 'L4CON', code: 8, description: 'Layer4 connection problem', result: 'failed' },
  { keyword: 'L6OK', code: 9, description: 'Layer6 check passed', result: 'passed' },
  { keyword: 'L6TOUT', code: 10, description: 'Layer6 timeout', result: 'failed' },
  { keyword: 'L6RSP', code: 11, description: 'Layer6 invalid response', result: 'failed' },
  { keyword: 'L7TOUT', code: 12, description: 'Layer7 timeout', result: 'failed' },
  { keyword: 'L7RSP', code: 13, description: 'Layer7 invalid response', result: 'failed' },
  { keyword: 'L7OK', code: 15, description: 'Layer7 check passed', result: 'passed' },
  { keyword: 'L7OKC', code: 16, description: 'Layer7 check conditionally passed', result: 'conditional' },
  { keyword: 'L7STS', code: 17, description: 'Layer7 wrong status', result: 'failed' },
];

export const STATUSES: ReadonlyMap<string, StatusRow> = new Map(rows.map((row) => [row.keyword, row]));

/** Statuses that come with a code of layer 7: the statistics show it for these only. */
export function hasCode(status: string): boolean {
  return status === 'L7OK' || status === 'L7OKC' || status === 'L7STS';
}
