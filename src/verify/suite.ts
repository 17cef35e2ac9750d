import type { Colours } from '../cli/colours.ts';
import type { LabProvider } from '../providers/provider.ts';
import type { LabRecord } from '../state/record.ts';
import type { Topology } from '../topology/topology.ts';

/** One kind of proof. A suite is a file in this folder and a row of `suites.ts`. */
export interface Suite {
  readonly name: string;
  /** What holds when it passes, as a clause. */
  readonly summary: string;
  /** How it finds out: a sentence or two for docs/suites.md. */
  readonly how: string;
  /** Why this lab has nothing for it to try; nothing when it has. */
  unfit?(topology: Topology): Unfit | undefined;
  /**
   * Tries its cases one after another and shows each. What does not hold is a case with a `failure`.
   *
   * @throws LabError when it cannot go on; that is a failed case of the suite, and the others follow.
   */
  run(context: SuiteContext): Promise<readonly CaseResult[]>;
}

/** Ways in which `failover` makes a server fail: those that a balancer can make up for. */
export const FAILURE_NAMES = ['stop', 'freeze'] as const;
export type FailureName = (typeof FAILURE_NAMES)[number];

export interface Unfit {
  /** A clause: "the topology names no sites". */
  readonly reason: string;
  /** What to change so that it can be tried. */
  readonly hint?: string;
}

export interface SuiteContext {
  readonly record: LabRecord;
  readonly provider: LabProvider;
  /** Requests for each case. */
  readonly requests: number;
  /** How servers are made to fail, where a suite does that. */
  readonly how?: readonly FailureName[];
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
