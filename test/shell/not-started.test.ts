import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { attach } from '../../src/shell/attach.ts';
import { run } from '../../src/shell/run.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lablb-start-'));
  writeFileSync(join(folder, 'plain'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['lablb-no-such-program', 127, 'command not found'],
  ['', 127, 'command not found'],
  ['./nothing', 127, 'No such file or directory'],
  ['./plain', 126, 'Permission denied'],
  ['./plain/x', 126, 'Not a directory'],
])('%j', (program, status, reason) => {
  const said = `${program || "''"}: ${reason}`;

  it('is told as a shell does when it does not start', async () => {
    expect(await run([program], { cwd: folder })).toEqual({ exitStatus: status, stdout: '', stderr: said });
  });

  it('is told so too at the terminal', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => write.mockRestore());
    expect(await attach([program], { cwd: folder })).toBe(status);
    expect(write).toHaveBeenCalledWith(`${said}\n`);
  });
});
