export type Need = 'needed' | 'useful';

/** What `lablb doctor` found out about one thing that a provider needs or can use. */
export interface Finding {
  readonly provider: string;
  readonly name: string;
  readonly need: Need;
  /** What is here, for people; undefined when it is missing. */
  readonly found?: string;
  /** How to get it. */
  readonly get: string;
  /** What is the matter, where "missing" does not say it. */
  readonly lacks?: string;
}
