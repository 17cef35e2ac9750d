import type { ServiceAction } from '../plan/plan.ts';
import type { FileSpec } from '../providers/provider.ts';
import type { ServiceSpec } from '../roles/role.ts';
import type { FaultSpec } from './faults.ts';

export type SoftwareName = 'httpd' | 'nginx' | 'haproxy' | 'rsyslog' | 'dnsmasq' | 'bind';

export interface Software {
  readonly service: string;
  /** Its logs: errors first. */
  readonly logs: readonly string[];
}

/** What differs between families of systems: package names, where services are defined, how they are driven. */
export interface Family {
  readonly name: string;
  /** The file that makes `service` known to the system. */
  define(service: ServiceSpec): FileSpec;
  service(action: ServiceAction, name: string): readonly string[];
  /** Makes a service fail on purpose; `FAIL_REFUSED` has the statuses of what it refuses. */
  fail(fault: FaultSpec): readonly string[];
  /** Undoes the node's fault and prints it, `HOW SERVICE`; nothing when there is none. */
  heal(service: string): readonly string[];
  /** Packages as this family calls them; none where nothing is installed. */
  packages(wanted: readonly string[]): readonly string[];
  /**
   * Installs packages, asking nothing. `fresh`: on a node that was just made and holds nothing yet, so that a crash may
   * cost all of it and what only people read need not be fetched.
   */
  install(packages: readonly string[], options?: { readonly fresh?: boolean }): readonly string[];
  /**
   * Names, a line each, the packages that `install` brought with all that they needed and that are still there; removes
   * them before that, if told so, but none that something else needs by now.
   */
  brought(remove: boolean): readonly string[];
  /** Shell that takes away what packages that `brought` removed have left: folders, users, groups. */
  readonly clear: string;
  /** `install` as commands that a person would type. */
  typed(packages: readonly string[]): readonly (readonly string[])[];
  /** Software that packages bring, by the name that topologies use; empty where nothing is installed. */
  readonly software: Readonly<Partial<Record<SoftwareName, Software>>>;
}
