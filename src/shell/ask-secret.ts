import { EXIT, LabError } from '../errors.ts';

/** One question at a time, whoever asks. */
let last: Promise<unknown> = Promise.resolve();

/** Asks at the terminal, on standard error, without showing what is typed. @throws LabError `interrupted` on Ctrl-C. */
export function askSecret(question: string): Promise<string> {
  const answer = last.then(() => ask(question));
  last = answer.catch(() => undefined);
  return answer;
}

function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let typed = '';
    const read = (chunk: Buffer): void => {
      for (const character of chunk.toString('utf8')) {
        if (character === '\r' || character === '\n' || character === END) return done(() => resolve(typed));
        if (character === INTERRUPT)
          return done(() =>
            reject(new LabError('interrupted', { code: 'interrupted', exit: EXIT.interrupted })),
          );
        typed = BACKSPACES.has(character) ? typed.slice(0, -1) : typed + character;
      }
    };
    const done = (then: () => void): void => {
      stdin.off('data', read);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      then();
    };
    stderr.write(question);
    stdin.setRawMode(true);
    stdin.on('data', read);
    stdin.resume();
  });
}

const INTERRUPT = '\x03';
const END = '\x04';
const BACKSPACES = new Set(['\x7f', '\b']);
