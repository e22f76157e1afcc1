// One home for each third-party package, for the dangerous built-in modules, and for time and chance.
import { isBuiltin } from 'node:module';
import type { Token } from '../../.ci/lib/lexer.ts';
import { COMPUTED, importsOf } from '../../.ci/lib/source.ts';
import { type FileMap, filesOf, tokensIn } from './tree.ts';

interface Home {
  /** Files that may import it. */
  readonly where: RegExp;
  /** Whether it may only be loaded when it is first needed. A type is always allowed. */
  readonly lazy?: true;
}

/** A package that is not here may not be imported by src at all. */
export const PACKAGE_HOMES: Readonly<Record<string, Home>> = {
  undici: { where: /^src\/transport\// },
  yaml: { where: /^src\/yaml\/document\.ts$/, lazy: true },
  cockatiel: { where: /^src\/(resilience\/breaker[^/]*\.ts$|mesh\/)/ },
  re2js: { where: /^src\/route\/regex\.ts$/, lazy: true },
  'lru-cache': { where: /^src\/(mesh\/|identity\/|resilience\/cache[^/]*\.ts$)/ },
  'http-cache-semantics': { where: /^src\/resilience\/cache[^/]*\.ts$/, lazy: true },
  '@opentelemetry/api': { where: /^src\/telemetry\// },
  jose: { where: /^src\/access\/jwt[^/]*\.ts$/, lazy: true },
  '@connectrpc/connect': { where: /^src\/transport\/connect\// },
  '@grpc/grpc-js': { where: /^src\/(transport|inbound|access)\/grpc/ },
};

/** A built-in module that is not here is free, except in model/, which imports nothing. */
export const BUILTIN_HOMES: Readonly<Record<string, RegExp>> = {
  timers: /^src\/core\/clock\.ts$/,
  'timers/promises': /^src\/core\/clock\.ts$/,
  perf_hooks: /^src\/(core\/clock|inbound\/event-loop)\.ts$/,
  fs: /^src\/(core\/file-watch\.ts$|yaml\/files\.ts$|discovery\/|identity\/|mesh\/|cli\/)/,
  'fs/promises': /^src\/(core\/file-watch\.ts$|yaml\/files\.ts$|discovery\/|identity\/|mesh\/|cli\/)/,
  net: /^src\/(transport|inbound|access|identity|discovery)\//,
  tls: /^src\/(transport|inbound|identity)\//,
  http: /^src\/(transport|inbound|access|cli)\//,
  https: /^src\/(transport|inbound|access)\//,
  http2: /^src\/((transport|inbound)\/|identity\/workload-stream\.ts$)/,
  dns: /^src\/discovery\//,
  'dns/promises': /^src\/discovery\//,
  dgram: /^src\/discovery\//,
  async_hooks: /^src\/(core\/context\.ts$|telemetry\/)/,
  child_process: /^src\/cli\//,
  worker_threads: /^src\/cli\//,
  cluster: /^src\/cli\//,
};

/** Where the environment may be read. */
const ENVIRONMENT = /^src\/(mesh\/|cli\/|register\.ts$)/;
const CLOCK = 'src/core/clock.ts';

export function homeFaults(files: FileMap): string[] {
  const faults: string[] = [];
  for (const [path, text] of filesOf(files, /^src\/.*\.ts$/)) {
    for (const { specifier, kind, line } of importsOf(tokensIn(path, text))) {
      if (specifier.startsWith('.') || specifier === COMPUTED) continue;
      const fault = isBuiltin(specifier) ? builtinFault(path, specifier) : packageFault(path, specifier, kind);
      if (fault !== null) faults.push(`${path}:${line}: ${fault}`);
    }
  }
  return faults;
}

function builtinFault(path: string, specifier: string): string | null {
  if (!specifier.startsWith('node:')) return `write node:${specifier}.`;
  if (path.startsWith('src/model/')) return `model is pure data and imports nothing, not even ${specifier}.`;
  const home = BUILTIN_HOMES[specifier.slice('node:'.length)];
  return home === undefined || home.test(path) ? null : `${specifier} is used only in ${readable(home)}.`;
}

function packageFault(path: string, specifier: string, kind: 'value' | 'type' | 'lazy'): string | null {
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const home = PACKAGE_HOMES[name];
  if (home === undefined) return `${name} has no home in src. A new package is decided in test/house/homes.ts.`;
  if (!home.where.test(path)) return `${name} is used only in ${readable(home.where)}.`;
  return home.lazy && kind === 'value' ? `load ${name} with await import('${specifier}') when it is needed; a type may be imported.` : null;
}

const readable = (pattern: RegExp): string => pattern.source.replaceAll('\\', '').replace('^', '');

/** Reading the time, arming a timer, drawing a number, reading the environment. `Date.parse` and `new Date(ms)` read no clock. */
export function globalFaults(files: FileMap): string[] {
  const faults: string[] = [];
  for (const [path, text] of filesOf(files, /^src\/.*\.ts$/)) {
    const tokens = tokensIn(path, text);
    for (let i = 0; i < tokens.length; i++) {
      const what = impureGlobal(tokens, i);
      if (what !== null && path !== CLOCK)
        faults.push(`${path}:${tokens[i]?.line}: ${what} belongs in ${CLOCK}. Take a Clock or a Random as an argument.`);
      if (isEnvironment(tokens, i) && !ENVIRONMENT.test(path))
        faults.push(`${path}:${tokens[i]?.line}: process.env is read only in ${readable(ENVIRONMENT)}. Take the value as an argument.`);
    }
  }
  return faults;
}

const TIMERS = /^(set|clear)(Timeout|Interval|Immediate)$/;

function impureGlobal(tokens: readonly Token[], at: number): string | null {
  const token = tokens[at] as Token;
  if (token.kind !== 'name') return null;
  const [before, after, second] = [tokens[at - 1]?.text ?? '', tokens[at + 1]?.text ?? '', tokens[at + 2]?.text ?? ''];
  const isGlobal = (before !== '.' && before !== '?.') || /^(globalThis|window|self)$/.test(tokens[at - 2]?.text ?? '');
  if (!isGlobal) return null;
  if (TIMERS.test(token.text) && !isKey(before, after)) return token.text;
  if (token.text === 'performance' && !isKey(before, after)) return 'performance';
  if (token.text === 'Math' && second === 'random') return 'Math.random';
  if (token.text === 'AbortSignal' && second === 'timeout') return 'AbortSignal.timeout';
  return token.text === 'Date' && readsClock(tokens, at, before, after, second) ? 'Date' : null;
}

/** `{ setTimeout: 1 }` names something of its own. */
const isKey = (before: string, after: string): boolean =>
  (before === '{' || before === ',' || before === ';') && (after === ':' || after === '?');

function readsClock(tokens: readonly Token[], at: number, before: string, after: string, second: string): boolean {
  if (after === '.') return !/^(parse|UTC|prototype)$/.test(second);
  if (before === 'new') return after !== '(' || tokens[at + 2]?.text === ')';
  if (after === '(') return true;
  // What is left is a type, `instanceof Date`, or the class handed to somebody who may call it.
  return !/^[:|&<]$|^(instanceof|as|extends|satisfies)$/.test(before) && after !== '|' && after !== '>' && !isKey(before, after);
}

function isEnvironment(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.text === 'process' && tokens[at]?.kind === 'name' && tokens[at + 1]?.text === '.' && tokens[at + 2]?.text === 'env';
}
