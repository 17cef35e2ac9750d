/**
 * Run by Bun: `bun run.ts <bun|quick> <folder>`. Runs the conformance cases against a real transport, and writes one
 * line of JSON for each: its name, and what went wrong.
 */
import { join } from 'node:path';
import { bunTransport } from '../../src/sockets/bun.ts';
import { quickTransport } from '../../src/sockets/epoll.ts';
import { cases } from './conformance.ts';

const [which, folder] = process.argv.slice(2);
const transport = which === 'quick' ? quickTransport() : bunTransport;
let sockets = 0;
for (const { name, run } of cases) {
  const subject = { transport, unixPath: () => join(folder!, `s${++sockets}`), hasFiles: true };
  const error = await run(subject).then(
    () => undefined,
    (reason: Error) => reason.stack ?? String(reason),
  );
  console.log(JSON.stringify({ name, error }));
}
process.exit(0);
