const REASONS = { ENOSPC: 'its disk is full', EIO: 'the other side is gone' };

/**
 * What becomes of lablb when nobody takes its output. A reader that went away (`| head -1`) has what it wanted; a disk
 * that is full is told once and makes the status 1. In both cases the work is done to its end.
 * Takes the place of oclif's listener, which throws.
 */
export function mindOutput() {
  for (const stream of [process.stdout, process.stderr])
    stream.removeAllListeners('error').on('error', failed);
}

let told = false;

function failed({ code }) {
  if (code === 'EPIPE' || told) return;
  told = true;
  process.on('exit', (status) => {
    process.exitCode = status || 1;
  });
  process.stderr.write(`✖ the output cannot be written: ${REASONS[code] ?? code}\n`);
}
