// Says when the contents of files or folders have changed, and only then. Watches folders, never files: a watch on a
// file falls silent after the first ConfigMap swap (`..data`) or atomic rename. Each symlink on the way is watched too.
// Reads with the blocking calls: the files are few and small, and what was watched and what was read stay one picture.
// Must not know what the files mean.
import { createHash } from 'node:crypto';
import { type FSWatcher, type Stats, lstatSync, readFileSync, readdirSync, readlinkSync, statSync, watch } from 'node:fs';
import { basename, dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import { type Clock, type Timer, runAt } from './clock.ts';

export interface FileWatchOptions {
  readonly clock: Clock;
  /** Quiet time after the last event before the files are read, ms; events that never pause are read after ten times that. @default 80 */
  readonly debounceMs?: number;
  /** Looks at the files this often besides, ms, for file systems without events (NFS, some containers). @default 0: never */
  readonly pollMs?: number;
}

export interface FileWatch {
  close(): void;
}

/** Poll interval when the system has no watch left to give (ENOSPC, EMFILE, EACCES). */
const BLIND_POLL_MS = 5_000;
/** A larger file counts as changed when its size or time changed. */
const HASHED_BYTES_MAX = 16 * 1024 * 1024;
const SYMLINKS_MAX = 40;
const RETRACES_MAX = 3;

/** Folder → names in it that matter; null: all. */
type Plan = Map<string, Set<string> | null>;

interface Watched {
  readonly watcher: FSWatcher;
  readonly identity: string;
  names: Set<string> | null;
  /** The folder itself was moved or deleted: its watcher sees nothing any more. */
  stale: boolean;
}

/**
 * Calls `onChange` when the contents of a path changed: a file's bytes, or the names and bytes of the files directly in a
 * folder, those with a leading dot left out. A path that is missing, or goes missing, is waited for. Keeps no process alive.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, options: FileWatchOptions): FileWatch {
  return new DirectoryWatch(paths, onChange, options);
}

class DirectoryWatch implements FileWatch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #clock: Clock;
  readonly #debounceMs: number;
  readonly #pollMs: number;
  readonly #folders: Map<string, Watched> = new Map();
  #digest: string;
  #pending: Timer | null = null;
  #firstEventMs = 0;
  #poll: Timer | null = null;
  #closed = false;

  constructor(paths: readonly string[], onChange: () => void, options: FileWatchOptions) {
    this.#paths = paths.map((path) => resolve(path));
    this.#onChange = onChange;
    this.#clock = options.clock;
    this.#debounceMs = options.debounceMs ?? 80;
    this.#pollMs = options.pollMs ?? 0;
    this.#follow();
    this.#digest = digestOf(this.#paths);
  }

  close(): void {
    this.#closed = true;
    if (this.#pending !== null) this.#clock.disarm(this.#pending);
    if (this.#poll !== null) this.#clock.disarm(this.#poll);
    for (const watched of this.#folders.values()) watched.watcher.close();
    this.#folders.clear();
  }

  /** Brings the watchers to where the paths lead now, and arms the poll. */
  #follow(): void {
    let isBlind = true;
    // What changed between following the path and watching it would go unseen: so follow again until nothing is new.
    for (let round = 0; round < RETRACES_MAX; round++) {
      const plan: Plan = new Map();
      for (const path of this.#paths) trace(path, plan, 0);
      for (const [folder, watched] of this.#folders) {
        if (!plan.has(folder) || watched.stale || watched.identity !== identityOf(folder)) this.#drop(folder, watched);
      }
      let isNew = false;
      isBlind = false;
      for (const [folder, names] of plan) {
        const watched = this.#folders.get(folder);
        if (watched !== undefined) watched.names = names;
        else if (this.#open(folder, names)) isNew = true;
        else isBlind = true;
      }
      if (!isNew && !isBlind) break;
    }
    const everyMs = this.#pollMs > 0 ? this.#pollMs : isBlind ? BLIND_POLL_MS : 0;
    if (this.#poll !== null) this.#clock.disarm(this.#poll);
    this.#poll = everyMs > 0 ? runAt(this.#clock, this.#clock.now() + everyMs, this.#check) : null;
  }

  #open(folder: string, names: Set<string> | null): boolean {
    const identity = identityOf(folder);
    if (identity === '') return false;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, { persistent: false });
    } catch {
      return false;
    }
    const watched: Watched = { watcher, identity, names, stale: false };
    watcher.on('change', (_type, name) => this.#seen(watched, folder, name === null ? null : String(name)));
    watcher.on('error', () => {
      watched.stale = true;
      this.#schedule();
    });
    this.#folders.set(folder, watched);
    return true;
  }

  #drop(folder: string, watched: Watched): void {
    watched.watcher.close();
    this.#folders.delete(folder);
  }

  #seen(watched: Watched, folder: string, name: string | null): void {
    // An event of the folder itself carries its own name.
    const isSelf = name === basename(folder);
    if (isSelf) watched.stale = true;
    if (isSelf || name === null || watched.names === null || watched.names.has(name)) this.#schedule();
  }

  #schedule(): void {
    if (this.#closed) return;
    const nowMs = this.#clock.now();
    if (this.#pending === null) this.#firstEventMs = nowMs;
    else this.#clock.disarm(this.#pending);
    const dueMs = Math.min(nowMs + this.#debounceMs, this.#firstEventMs + 10 * this.#debounceMs);
    this.#pending = runAt(this.#clock, dueMs, this.#check);
  }

  readonly #check = (): void => {
    if (this.#closed) return;
    if (this.#pending !== null) this.#clock.disarm(this.#pending);
    this.#pending = null;
    this.#follow();
    const digest = digestOf(this.#paths);
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#onChange();
  };
}

/** Adds every folder and name that decide where a path leads: each symlink, the end, or the first part that is missing. */
function trace(path: string, plan: Plan, depth: number): void {
  let folder = parse(path).root;
  const parts = partsOf(path);
  let symlinks = 0;
  for (let name = parts.shift(); name !== undefined; name = parts.shift()) {
    if (name === '..') {
      folder = dirname(folder);
      continue;
    }
    const full = join(folder, name);
    const stats = statsOf(full);
    if (stats?.isDirectory()) {
      folder = full;
      continue;
    }
    note(plan, folder, name);
    if (!stats?.isSymbolicLink() || ++symlinks > SYMLINKS_MAX) return;
    const target = targetOf(full);
    if (isAbsolute(target)) folder = parse(target).root;
    parts.unshift(...partsOf(target));
  }
  plan.set(folder, null);
  if (depth === 0)
    for (const name of namesIn(folder)) if (statsOf(join(folder, name))?.isSymbolicLink()) trace(join(folder, name), plan, 1);
}

function targetOf(symlink: string): string {
  try {
    return readlinkSync(symlink);
  } catch {
    return '';
  }
}

function partsOf(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((part) => part !== '' && part !== '.');
}

function note(plan: Plan, folder: string, name: string): void {
  const names = plan.get(folder);
  if (names === undefined) plan.set(folder, new Set([name]));
  else names?.add(name);
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function identityOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}

function digestOf(paths: readonly string[]): string {
  const parts: string[] = [];
  for (const path of paths) {
    const own = contentOf(path);
    parts.push(path, own);
    if (own !== 'folder') continue;
    for (const name of namesIn(path)) {
      const content = name.startsWith('.') ? 'folder' : contentOf(join(path, name));
      if (content !== 'folder') parts.push(name, content);
    }
  }
  return hash(JSON.stringify(parts));
}

/** The hash of a file, `folder`, or why there is neither. Never opens a pipe or a device: that would block. */
function contentOf(path: string): string {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return 'folder';
    if (!stats.isFile()) return 'other';
    return stats.size > HASHED_BYTES_MAX ? `${stats.size} bytes, ${stats.mtimeMs}` : hash(readFileSync(path));
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function hash(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
