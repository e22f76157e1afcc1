// Several files as one picture: where each path leads is looked at before it is read, and again when all are, so that the swap of
// a link in between does not mix two generations.
import { readFileSync, realpathSync } from 'node:fs';

/** Whether it is PEM text, and no path. */
export function isText(value: string): boolean {
  return value.includes('-----BEGIN');
}

/** Where each path led when it was read. */
export class FilePicture {
  readonly #ends: Map<string, string> = new Map();

  read(path: string, what: string): string {
    if (isText(path)) return path;
    try {
      const end = realpathSync(path);
      this.#ends.set(path, end);
      return readFileSync(end, 'utf8');
    } catch (error) {
      throw new Error(`the ${what} cannot be read from ${path}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Throws when a link was moved meanwhile. */
  check(): void {
    for (const [path, end] of this.#ends) if (realpathSync(path) !== end) throw new Error(`${path} was replaced while it was read`);
  }
}
