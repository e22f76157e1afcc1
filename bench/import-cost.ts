// What `import('inmesh')` costs a process that has undici already, and what it must not bring along. Fresh processes, taken
// in turns with their baselines; CPU time rather than wall time.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from './library.ts';
import { median } from './statistics.ts';

const run = promisify(execFile);

export interface ImportCost {
  /** CPU ms of `import('undici')` in an empty process. */
  readonly undiciMs: number;
  /** CPU ms of importing undici and inmesh. Both by name: inmesh alone may put undici off until a mesh is made. */
  readonly inmeshMs: number;
  /** The difference. */
  readonly beyondMs: number;
  /** The same with a mesh made of an object: what was put off until then is in here. NaN when not asked for. */
  readonly createdBeyondMs: number;
  readonly repetitions: number;
}

/** Runs a module in a fresh process and gives what it prints as JSON. */
async function evaluate<T>(source: string): Promise<T> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', source];
  const { stdout } = await run(process.execPath, flags, { cwd: ROOT });
  return JSON.parse(stdout) as T;
}

function timed(code: string): string {
  return `const before = process.cpuUsage();
${code}
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000);
process.exit();`;
}

export interface ImportOptions {
  /** What is imported in place of inmesh; shows that a dear import is seen. */
  readonly subject?: string;
  /** Whether making a mesh is measured, too. */
  readonly alsoCreate?: boolean;
  readonly progress?: (done: number) => void;
}

export async function measureImport(
  repetitions: number,
  { subject = 'inmesh', alsoCreate = false, progress }: ImportOptions = {},
): Promise<ImportCost> {
  const undici: number[] = [];
  const imported: number[] = [];
  const created: number[] = [];
  // The first turn only warms the file cache.
  for (let i = 0; i <= repetitions; i++) {
    const bare = await evaluate<number>(timed(`await import('undici');`));
    const own = await evaluate<number>(timed(`await import('undici'); await import('${subject}');`));
    const mesh = alsoCreate ? await evaluate<number>(timed(`await import('undici'); ${IMPORT_AND_CREATE}`)) : Number.NaN;
    progress?.(i / repetitions);
    if (i === 0) continue;
    undici.push(bare);
    imported.push(own);
    created.push(mesh);
  }
  const beyond = (those: readonly number[]): number => median(those.map((ms, i) => ms - (undici[i] as number)));
  return {
    undiciMs: median(undici),
    inmeshMs: median(imported),
    beyondMs: beyond(imported),
    createdBeyondMs: beyond(created),
    repetitions,
  };
}

/** Packages that nobody may pay for who does not use them. */
export const UNWANTED: readonly RegExp[] = [/\/@grpc\//, /\/yaml\//, /\/@opentelemetry\/(?!api\/)/, /\/cockatiel\//, /\/re2js\//];

/** The URLs of all modules, CommonJS ones too, that a piece of code loads in a fresh process. */
export async function loadedModules(code: string): Promise<string[]> {
  return evaluate(`import { registerHooks } from 'node:module';
const urls = [];
registerHooks({ load(url, context, nextLoad) { urls.push(url); return nextLoad(url, context); } });
${code}
console.log(JSON.stringify(urls));
process.exit();`);
}

/** Those of the modules that must not be there. */
export function unwantedOf(urls: readonly string[]): string[] {
  return urls.filter((url) => UNWANTED.some((pattern) => pattern.test(url)));
}

export const IMPORT_ONLY = `await import('inmesh');`;
/** A mesh made of an object, without regex routes or breakers of cockatiel. */
export const IMPORT_AND_CREATE = `const { createMesh } = await import('inmesh');
await createMesh({ config: { services: { items: { endpoints: [{ address: '127.0.0.1:9' }] } } } });`;
