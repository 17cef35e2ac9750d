import type { Colours } from '../cli/colours.ts';
import type { LabProvider } from '../providers/provider.ts';
import type { LabRecord } from '../state/record.ts';

/** One kind of proof. A suite is a file in this folder and a row of `suites.ts`. */
export interface Suite {
  readonly name: string;
  readonly summary: string;
  run(context: SuiteContext): Promise<readonly CaseResult[]>;
}

export interface SuiteContext {
  readonly record: LabRecord;
  readonly provider: LabProvider;
  /** Requests for each case. */
  readonly requests: number;
  readonly signal: AbortSignal;
  readonly colours: Colours;
  /** Shown as it happens; nothing under --json. */
  readonly say: (line: string) => void;
}

export interface CaseResult {
  /** What was tried, e.g. the site's host. */
  readonly name: string;
  readonly ms: number;
  /** A clear account of what does not hold; absent when all does. */
  readonly failure?: string;
  /** Why it could not be tried. */
  readonly skipped?: string;
  /** For --json: what was measured. */
  readonly data?: Readonly<Record<string, unknown>>;
}
