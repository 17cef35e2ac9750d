/** Looks at a request's body without using it up: `option http-buffer-request`, and the fetches of the body. */
import type { Body, Sink } from '../http1/body.ts';

/** How much of a body is here, while its bytes are held back and more of them come. */
export class BodyAhead implements Sink {
  /** Bytes of the body itself, without the framing of chunks. */
  length = 0;
  readonly #probe: Body;
  #seen = 0;

  constructor(body: Body) {
    this.#probe = body.clone();
    this.#probe.decode = true;
  }

  get done(): boolean {
    return this.#probe.done;
  }

  get broken(): boolean {
    return this.#probe.broken;
  }

  /** `bytes` from `start` on: all that came of the body; what was seen before is not looked at again. */
  look(bytes: Buffer, start: number): void {
    this.#seen = this.#probe.feed(bytes, start + this.#seen, bytes.length, this) - start;
  }

  forward(_bytes: Buffer, start: number, end: number): void {
    this.length += end - start;
  }
}

/** The body as far as it stands in `bytes` from `start` on, without the framing of chunks. */
export function readAhead(body: Body, bytes: Buffer, start: number): Buffer {
  const pieces: Buffer[] = [];
  const probe = body.clone();
  probe.decode = true;
  probe.feed(bytes, start, bytes.length, { forward: (b, from, to) => pieces.push(b.subarray(from, to)) });
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
