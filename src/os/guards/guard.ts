/**
 * What on a machine may stand between a service and its work: a firewall that is active, SELinux that is enforcing. A
 * guard is a row: shell that looks, and shell that lets one thing through and takes that back. Its functions may call
 * `note WHAT [DETAIL]`, which remembers on the machine that lablb did it; only what was noted is ever taken back.
 */
export interface Guard {
  readonly name: string;
  /** Prints, while it is active, `guard NAME` and `allows NAME WHAT` for what it lets through; `*` is all of it. */
  readonly look: string;
  /** Lets $1 through. */
  readonly allow: string;
  /** No longer lets $1 through, as if it never had; $2 is the detail. Done before is done. */
  readonly forbid: string;
  /** What it must let through for this. */
  wants(needs: Needs): readonly string[];
  /** A clause for "because …". */
  why(what: string): string;
}

/** What a node does that a guard may mind. */
export interface Needs {
  /** `80/tcp`. */
  readonly ports: readonly string[];
  /** Executables that lablb brings. */
  readonly programs: readonly string[];
  /** Services that packages bring, by their software's name. */
  readonly software: readonly string[];
}
