/** The ways in which a node can be made to fail on purpose, and what that looks like to whoever asks it. */
export const FAULTS = {
  stop: 'its server is stopped: connections are refused',
  freeze: 'its processes stand still: connections are taken, nothing answers',
  slow: 'its answers come late',
  refuse: 'its server runs, but connections to it are refused',
  error: 'it answers every request with status 500',
} as const;

export type FaultName = keyof typeof FAULTS;

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** What a family of systems is told of a fault. */
export interface FaultSpec {
  readonly how: FaultName;
  /** The service that is to fail. */
  readonly service: string;
  /** TCP port that it answers on. */
  readonly port: number;
  /** How long answers wait, at most (`slow`). Milliseconds. */
  readonly delayMs: number;
}

/** Exit statuses of a family's `fail` for what it refuses; standard error then says which fault there is. */
export const FAIL_REFUSED = { already: 17, notRunning: 18 } as const;
