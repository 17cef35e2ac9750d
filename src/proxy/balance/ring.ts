/**
 * The ring behind `hash-type consistent` and `random`: every usable server stands on it at sixteen places for each
 * unit of its weight, found from its number (`id`) as HAProxy does. A hash goes to the nearest place, so that a server
 * that comes or goes moves only its own share.
 */
import { avalanche } from '../acl/converters/hash.ts';
import type { Backend, Server } from '../model.ts';
import { MAX_SHARES, shares } from './weight.ts';

export class Ring {
  readonly #backend: Backend;
  /** Sorted; the server at `#keys[i]` is `#servers[i]`. */
  #keys = new Uint32Array(0);
  #servers: Server[] = [];
  /** Where the last turn of `next` was. */
  #last = -1;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.rebuild();
  }

  rebuild(): void {
    const lastKey = this.#keys[this.#last];
    const places = this.#backend.usable
      .flatMap((server) =>
        Array.from({ length: shares(server) }, (_, i) => ({
          key: avalanche(server.settings.id * MAX_SHARES + i),
          server,
        })),
      )
      .sort((a, b) => a.key - b.key);
    this.#keys = Uint32Array.from(places, (place) => place.key);
    this.#servers = places.map((place) => place.server);
    this.#last = lastKey === undefined ? -1 : this.#firstFrom(lastKey + 1) - 1;
  }

  /** The nearest server to `hash` (unsigned, 32 bits) other than `avoid`, if there is another one. */
  nearest(hash: number, avoid?: Server): Server | undefined {
    const servers = this.#servers;
    const { length } = servers;
    if (length === 0) return undefined;
    let i = this.#nearestIndex(hash);
    for (let tries = 1; servers[i] === avoid && tries < length; tries++) i = i + 1 === length ? 0 : i + 1;
    return servers[i];
  }

  /** The nearest that is not full. */
  nearestFree(hash: number, full: (server: Server) => boolean): Server | undefined {
    const servers = this.#servers;
    const { length } = servers;
    if (length === 0) return undefined;
    let i = this.#nearestIndex(hash);
    for (let tries = 0; tries < length; tries++) {
      if (!full(servers[i]!)) return servers[i];
      i = i + 1 === length ? 0 : i + 1;
    }
    return undefined;
  }

  /** Around the ring, for requests that have nothing to hash. */
  next(full: (server: Server) => boolean): Server | undefined {
    const { length } = this.#servers;
    for (let tries = 0; tries < length; tries++) {
      this.#last = this.#last + 1 >= length ? 0 : this.#last + 1;
      const server = this.#servers[this.#last]!;
      if (!full(server)) return server;
    }
    return undefined;
  }

  /** Distances are unsigned differences, also across the end; the place before wins a tie. */
  #nearestIndex(hash: number): number {
    const keys = this.#keys;
    const { length } = keys;
    const found = this.#firstFrom(hash);
    const after = found === length ? 0 : found;
    const before = after === 0 ? length - 1 : after - 1;
    return (hash - keys[before]!) >>> 0 <= (keys[after]! - hash) >>> 0 ? before : after;
  }

  /** Index of the first key that is not below `key`, or the length. */
  #firstFrom(key: number): number {
    const keys = this.#keys;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
