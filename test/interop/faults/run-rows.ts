// Runs rows of the fault matrix, several cells at once where they only wait, and holds what was observed against what is expected.
import type { FaultCell, Library } from './observe.ts';
import { HASTY, observe } from './observe.ts';
import { namespaceMissing } from './namespace.ts';
import { illLine, type Protocol } from './peers.ts';
import { type FaultRow, isScenario, type ScenarioCell } from './row.ts';

export interface CellResult {
  readonly id: string;
  readonly protocol: Protocol;
  /** One line per kind of call; or one line. */
  readonly observed: string;
  readonly isKept: boolean;
  /** Why it was not run. */
  readonly skipped?: string;
}

export interface RunOptions {
  /** @default all */
  readonly only?: (row: FaultRow) => boolean;
  /** Cells that take long, too. @default false */
  readonly isLong?: boolean;
  readonly atOnce?: number;
  /** Told of each cell as it is done. */
  readonly onResult?: (result: CellResult, done: number, of: number) => void;
}

interface Job {
  readonly row: FaultRow;
  readonly protocol: Protocol;
  readonly cell: FaultCell | ScenarioCell;
}

const CELL_MS_MAX = 70_000;

/** `a|b` stands for either. */
function isAs(observed: string, expected: string): boolean {
  return expected.split('|').includes(observed);
}

async function runCell({ cell, protocol }: Job, library: Library): Promise<[observed: string, isKept: boolean]> {
  if (isScenario(cell)) {
    const first = await cell.run(library);
    // What is about time can be spoilt by a busy machine, once.
    const observed = isAs(first, cell.expected) ? first : await cell.run(library);
    return [observed, isAs(observed, cell.expected)];
  }
  const first = await runCalls(cell, protocol, library);
  return first[1] || !isTimed(cell) ? first : runCalls(cell, protocol, library);
}

async function runCalls(cell: FaultCell, protocol: Protocol, { createMesh }: Library): Promise<[observed: string, isKept: boolean]> {
  const { expected } = cell;
  const { get, post, spare } = await observe(cell, protocol, createMesh);
  const isKept = isAs(get, expected.get) && isAs(post, expected.post) && isAs(spare, expected.spare);
  return [`GET ${get}; POST ${post}; GET beside a healthy one ${spare}`, isKept];
}

/** Whether it is about time, and so wants the process for itself. */
function isTimed(cell: FaultCell | ScenarioCell): boolean {
  return isScenario(cell) ? cell.isUntimed !== true : cell.service === HASTY;
}

async function result(job: Job, library: Library): Promise<CellResult> {
  const { row, protocol, cell } = job;
  const at = { id: row.id, protocol };
  const missing = isScenario(cell) && cell.needsNamespace === true ? namespaceMissing() : null;
  if (missing !== null) return { ...at, observed: '', isKept: true, skipped: missing };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CELL_MS_MAX} ms`)), CELL_MS_MAX);
  });
  try {
    const [observed, isKept] = await Promise.race([runCell(job, library), late]);
    return { ...at, observed, isKept };
  } catch (error) {
    return { ...at, observed: `THREW ${(error as Error).message}`, isKept: false };
  } finally {
    clearTimeout(timer);
  }
}

/** The first call of a process loads and compiles for longer than an attempt may take. */
async function warmUp(protocol: 'http1' | 'http2', { createMesh }: Library): Promise<void> {
  const expected = { get: '', post: '', spare: '' };
  await observe(
    { peer: () => illLine(protocol, { kind: 'none' }), expected, service: { timeout: '10s', retries: false } },
    protocol,
    createMesh,
  );
}

export async function runRows(rows: readonly FaultRow[], library: Library, options: RunOptions = {}): Promise<CellResult[]> {
  const { only = () => true, isLong = false, atOnce = 8, onResult } = options;
  const jobs = rows
    .filter(only)
    .flatMap((row) => Object.entries(row.cells).map(([protocol, cell]) => ({ row, protocol: protocol as Protocol, cell })));
  for (const protocol of ['http1', 'http2'] as const) await warmUp(protocol, library);
  const isLeftOut = ({ cell }: Job): boolean => !isLong && isScenario(cell) && cell.isLong === true;
  const untimed = jobs.filter(({ cell }) => !isTimed(cell));
  const timed = jobs.filter((job) => isTimed(job.cell) && !isLeftOut(job));
  const results = new Map<Job, CellResult>();
  const run = async (job: Job): Promise<void> => {
    const one = await result(job, library);
    results.set(job, one);
    onResult?.(one, results.size, untimed.length + timed.length);
  };
  const waiting = [...untimed];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await run(job);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  // What is about time has the process for itself.
  for (const job of timed) await run(job);
  return jobs.flatMap((job) => results.get(job) ?? []);
}
