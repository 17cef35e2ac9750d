import { LabError } from '../errors.ts';

/** A signal that aborts when `signal` does, or after `seconds` with an error that says so. */
export function within(seconds: number, signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const late = new LabError(`not done within ${seconds} s`, {
    code: 'timeout',
    hints: ['lablb up   (goes on where it was)', '--timeout SECONDS'],
  });
  setTimeout(() => controller.abort(late), seconds * 1000).unref();
  return AbortSignal.any([signal, controller.signal]);
}
