import { describe, expect, it } from 'vitest';
import { globalFaults, homeFaults } from './homes.ts';
import { repository } from './tree.ts';

describe('homes', () => {
  it('of packages and built-in modules are kept', () => {
    expect(homeFaults(repository())).toEqual([]);
  });

  it('of time, timers, chance and environment are kept', () => {
    expect(globalFaults(repository())).toEqual([]);
  });
});

describe('the checker of packages', () => {
  const check = (path: string, text: string): string[] => homeFaults(new Map([[path, text]]));

  it.each([
    ['src/balance/a.ts', "import { Pool } from 'undici';", 'undici is used only in'],
    ['src/balance/a.ts', "import type { Pool } from 'undici';", 'undici is used only in'],
    ['src/mesh/a.ts', "import api from '@opentelemetry/api/experimental';", '@opentelemetry/api is used only in'],
    ['src/yaml/document.ts', "import { parse } from 'yaml';", "await import('yaml')"],
    ['src/route/regex.ts', "import { RE2JS } from 're2js';", "await import('re2js')"],
    ['src/yaml/read.ts', "const { parse } = await import('yaml');", 'yaml is used only in'],
    ['src/core/a.ts', "import _ from 'lodash';", 'lodash has no home'],
    ['src/core/a.ts', "import { createMesh } from 'inmesh';", 'inmesh has no home'],
    ['src/core/a.ts', "import { join } from 'path';", 'write node:path'],
    ['src/model/a.ts', "import { join } from 'node:path';", 'imports nothing'],
    ['src/route/a.ts', "import { readFileSync } from 'node:fs';", 'node:fs is used only in'],
    ['src/core/file-watch.ts', "import { setTimeout } from 'node:timers/promises';", 'node:timers/promises is used only in'],
    ['src/resilience/a.ts', "const { connect } = process.getBuiltinModule('node:net');", 'node:net is used only in'],
  ])('finds in %s: %s', (path, text, message) => {
    expect(check(path, text).join('\n')).toContain(message);
  });

  it.each([
    ['src/transport/pool.ts', "import { Pool } from 'undici';"],
    ['src/yaml/document.ts', "import type { Document } from 'yaml';\nconst { parse } = await import('yaml');"],
    ['src/resilience/breaker-trip.ts', "import { CountBreaker } from 'cockatiel';"],
    ['src/core/file-watch.ts', "import { watch } from 'node:fs';"],
    ['src/route/a.ts', "import { createHash } from 'node:crypto';"],
  ])('allows in %s: %s', (path, text) => {
    expect(check(path, text)).toEqual([]);
  });
});

describe('the checker of globals', () => {
  const check = (text: string, path = 'src/route/a.ts'): string[] => globalFaults(new Map([[path, text]]));

  it.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const now = new Date;',
    'const text = Date();',
    'const Time = Date;',
    'inject(Date);',
    'const now = `${Date.now()}`;',
    'const start = performance.now();',
    'const { now } = performance;',
    'const x = Math.random();',
    'const { random } = { random: Math.random };',
    'setTimeout(run, 10);',
    'globalThis.setInterval(run, 10);',
    'const later = setImmediate;',
    'const signal = AbortSignal.timeout(5);',
    'const home = process.env.HOME;',
  ])('finds: %s', (text) => {
    expect(check(text)).toHaveLength(1);
  });

  it.each([
    'const at = Date.parse(text);',
    'const day = new Date(wallMs).toISOString();',
    'function f(at: Date | null): Date {}',
    'if (x instanceof Date) return;',
    'socket.setTimeout(5);',
    'interface Own { performance: number; setTimeout?: number }',
    '// Date.now() is banned',
    "const text = 'Date.now()';",
    'const url = new Foo(/Date.now()/);',
    'const max = Math.max(1, 2);',
  ])('allows: %s', (text) => {
    expect(check(text)).toEqual([]);
  });

  it('allows all of it in the clock', () => {
    expect(check('setTimeout(run, Date.now() * Math.random());', 'src/core/clock.ts')).toEqual([]);
  });
});
