/** Collects a small request body: the statistics page's form. */
import type { Sink } from '../http1/body.ts';

const LIMIT = 16384;

export class FormReader implements Sink {
  tooLong = false;
  #pieces: string[] = [];
  #length = 0;

  forward(bytes: Buffer, start: number, end: number): void {
    this.#length += end - start;
    if (this.#length > LIMIT) this.tooLong = true;
    else this.#pieces.push(bytes.latin1Slice(start, end));
  }

  get text(): string {
    return this.#pieces.join('');
  }
}
