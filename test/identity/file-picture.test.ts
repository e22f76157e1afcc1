// A picture of files is whole, or it is none.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FilePicture } from '../../src/identity/file-picture.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-picture-'));

afterAll(() => rmSync(folder, { recursive: true }));

function generation(name: string, text: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'tls.crt'), text);
}

describe('a picture of files', () => {
  it('is whole while nothing moves, and says so when a link did', () => {
    generation('one', '1');
    generation('two', '2');
    symlinkSync('one', join(folder, '..data'));
    const path = join(folder, '..data', 'tls.crt');
    const picture = new FilePicture();
    expect(picture.read(path, 'certificate')).toBe('1');
    expect(() => picture.check()).not.toThrow();
    symlinkSync('two', join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
    expect(() => picture.check()).toThrow(`${path} was replaced while it was read`);
  });

  it('says what is not there', () => {
    const path = join(folder, 'none');
    expect(() => new FilePicture().read(path, 'key')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`the key cannot be read from ${path}: ENOENT`),
        cause: expect.any(Error),
      }),
    );
  });
});
