/**
 * `balance roundrobin`: each server in turn, as often as its weight says, spread as evenly as can be; in the order in
 * which HAProxy takes them, also after weights changed and servers came back (manual, section 4.2).
 *
 * Servers stand at positions on a line that is walked one step a request. A round is as long as the sum of all shares;
 * whoever was chosen moves on by that sum divided by its shares, with the remainder carried over, and waits for the
 * next round when that is beyond the present one. At the start of a round the heaviest go first.
 */
import type { Backend, Server } from '../model.ts';
import type { Policy } from './policy.ts';
import { MAX_SHARES, shares, WEIGHT_SCALE } from './weight.ts';

export function roundRobin(backend: Backend): Policy {
  const active = new Group(backend.servers.filter((server) => !server.settings.backup));
  const backup = new Group(backend.servers.filter((server) => server.settings.backup));
  let group: Group | undefined;
  let only: Server | undefined;
  choose();

  return {
    pick(_tx, full) {
      if (group !== undefined) return group.next(full);
      return only === undefined || full(only) ? undefined : only;
    },
    serverChanged(server) {
      (server.settings.backup ? backup : active).update(server);
      choose();
    },
  };

  /** Backup servers serve when no other can: all in turn with `option allbackups`, else the first alone. */
  function choose(): void {
    group = active.hasServers ? active : backend.settings.options.allbackups ? backup : undefined;
    only = group === undefined ? backend.usable[0] : undefined;
  }
}

/** Where a place waits. The two rounds take turns at being the present and the coming one. */
const IN = { none: 0, line: 1, roundA: 2, roundB: 3 } as const;

interface Place {
  readonly server: Server;
  shares: number;
  queue: number;
  /** Lowest first, and who came first among equals. */
  key: number;
  arrival: number;
  last: number;
  next: number;
  remainder: number;
}

class Group {
  readonly #places: Place[];
  /** Not begun yet, and to come; the line itself is what was begun. */
  #starting: number = IN.roundA;
  #coming: number = IN.roundB;
  #position: number;
  #length: number;
  #nextLength: number;
  #arrivals = 0;
  readonly #passed: Place[] = [];

  constructor(servers: readonly Server[]) {
    this.#places = servers.map((server) => ({
      server,
      shares: shares(server),
      queue: IN.none,
      key: 0,
      arrival: 0,
      last: 0,
      next: 0,
      remainder: 0,
    }));
    this.#nextLength = this.#places.reduce((sum, place) => sum + place.shares, 0);
    this.#length = this.#nextLength;
    this.#position = this.#nextLength;
    for (const place of this.#places) if (place.shares > 0) this.#enqueue(place, this.#starting);
  }

  get hasServers(): boolean {
    return this.#nextLength > 0;
  }

  next(full: (server: Server) => boolean): Server | undefined {
    const passed = this.#passed;
    let turned = false;
    let place: Place | undefined;
    for (;;) {
      if (this.#length === 0) this.#position = this.#length = this.#nextLength;
      place = this.#first();
      if (place === undefined) {
        if (turned) break;
        turned = true;
        this.#turn();
        continue;
      }
      this.#moveOn(place);
      place.queue = IN.none;
      this.#position++;
      if (!full(place.server)) break;
      passed.push(place);
    }
    if (place !== undefined) this.#file(place);
    // Who was full keeps its turn, unless a new round has begun meanwhile.
    while (passed.length > 0) {
      const full = passed.pop()!;
      if (turned) this.#enqueue(full, this.#starting);
      else this.#file(full);
    }
    return place?.server;
  }

  update(server: Server): void {
    const place = this.#places.find((each) => each.server === server)!;
    const before = place.shares;
    const after = shares(server);
    if (before === after) return;
    this.#nextLength += after - before;
    place.shares = after;
    if (after === 0) {
      place.queue = IN.none;
    } else if (before === 0) {
      place.next = this.#position + div(this.#nextLength + this.#length - this.#position, after);
      this.#file(place);
    } else if (place.queue === this.#starting) {
      this.#enqueue(place, this.#starting);
    } else {
      this.#reweigh(place);
    }
  }

  /** In the middle of a round: as if it had had the new weight since its last turn, and no later than before. */
  #reweigh(place: Place): void {
    if (place.queue === this.#coming) place.next += this.#length;
    const before = place.next;
    const step = div(this.#nextLength, place.shares);
    place.next = Math.min(place.last + step, before);
    if (place.next < this.#position + 2) place.next = this.#position + step;
    place.remainder = 0;
    this.#file(place);
  }

  /** Who is due on the line, else who has not begun this round, else who is nearest on the line. */
  #first(): Place | undefined {
    let onLine: Place | undefined;
    let starting: Place | undefined;
    for (const place of this.#places) {
      if (place.queue === IN.line) {
        if (onLine === undefined || isBefore(place, onLine)) onLine = place;
      } else if (place.queue === this.#starting) {
        if (starting === undefined || isBefore(place, starting)) starting = place;
      }
    }
    if (onLine !== undefined && onLine.next <= this.#position) return onLine;
    if (starting === undefined) return onLine;
    starting.next = 0;
    starting.remainder = 0;
    return starting;
  }

  #moveOn(place: Place): void {
    if (place.next === 0) place.next = this.#position;
    place.last = place.next;
    place.next += div(this.#nextLength, place.shares);
    place.remainder += this.#nextLength % place.shares;
    if (place.remainder < place.shares) return;
    place.remainder -= place.shares;
    place.next++;
  }

  /** On the line when its turn comes within this round, else in the coming round. */
  #file(place: Place): void {
    if (place.next >= 2 * this.#length || place.next >= this.#length + this.#nextLength) {
      place.next -= this.#length;
      this.#enqueue(place, this.#coming);
      return;
    }
    place.key = 256 * place.next + div(MAX_SHARES + place.remainder - place.shares, WEIGHT_SCALE);
    place.queue = IN.line;
    place.arrival = ++this.#arrivals;
  }

  #enqueue(place: Place, round: number): void {
    place.key = MAX_SHARES - place.shares;
    place.queue = round;
    place.arrival = ++this.#arrivals;
  }

  #turn(): void {
    const starting = this.#starting;
    this.#starting = this.#coming;
    this.#coming = starting;
    this.#length = this.#nextLength;
    this.#position = this.#length;
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a.key < b.key || (a.key === b.key && a.arrival < b.arrival);
}

function div(a: number, b: number): number {
  return Math.floor(a / b);
}
