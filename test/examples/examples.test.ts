// Every example runs by itself, says what its page says it says, and ends. They import the built package by its name,
// as a reader would: build first.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createMesh } from '../../src/index.ts';

const FOLDER = new URL('../../examples/', import.meta.url);
const run = promisify(execFile);

/** Lines that must be there, in this order. */
const EXPECTED: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  '01-quickstart.ts': ['call 1: 200 hello', 'call 5: 200 hello'],
  '02-client.ts': [/^one call: 200 v[12]$/, /^500 calls: v1 4\d\d, v2 \d\d /],
  '03-undici.ts': ['call 1: 200 hello from undici', 'call 3: 200 hello from undici'],
  '04-builtin-fetch.ts': ['one call: 200 hello from fetch', 'any call: 200 hello from fetch'],
  '05-mesh-call.ts': ['attempt 1', 'attempt 2', 'the store says 42', 'a bulkhead of two: fulfilled, fulfilled, rejected'],
  '06-canary.ts': [/^at 95\/5: \d+(\.\d+)? % of the calls reach v2$/, 'a tester reaches v2', 'at 0/100: 100 % of the calls reach v2'],
  '07-telemetry.ts': [
    /^mesh\.call greeter \d/,
    /^ {2}GET .* 503$/,
    /^ {2}GET .* 200$/,
    'http.client.request.duration (s): 2 series',
    'inmesh.retries ({retry}): 1 series',
  ],
  '08-user-layer.ts': ['call 1', /attempt \d to the good one: 200/, '  200 hello ada', 'call 3', '  200 hello ada'],
  '09-events.ts': [/^greeter: an endpoint is left out for \d+ ms \(.+\)$/, 'greeter: it is tried again', '80 calls, all answered'],
  '10-errors.ts': [
    'the service said 500',
    'no answer: deadline_exceeded, request sent: head',
    /^\[deadline_exceeded\] /,
    'failures: respond gives 504 "upstream request timeout"',
  ],
  '11-hedging.ts': [
    /^patient: the slowest of 200 calls took \d+ ms, for 200 requests$/,
    /^hedged: the slowest of 200 calls took \d+ ms, for 2(0[1-9]|[1-4]\d) requests$/,
  ],
  '12-fallback-and-cache.ts': [
    '50 readers of "all about dune", 1 request',
    '/dune: 200 all about dune (stale)',
    '/solaris: 200 come back later (value)',
  ],
  '13-grpc.ts': ['call 1: hello ada from a', 'call 4: hello ada from a'],
  '14-nice-grpc.ts': ["hello: { text: 'hello ada from a' }", 'count: one', 'count: three'],
  '15-nestjs-grpc.ts': ['hello: hello ada from a'],
};

describe('examples', () => {
  it('has expectations for every example', () => {
    const files = readdirSync(FOLDER).filter((file) => /^\d\d-.*\.ts$/.test(file));
    expect(files.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.concurrent.each(Object.entries(EXPECTED))('%s', async (file, expected) => {
    const started = performance.now();
    const { stdout, stderr } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
      cwd: FOLDER,
      timeout: 15_000,
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    let from = 0;
    for (const line of expected) {
      const at = lines.findIndex(
        (candidate, index) => index >= from && (typeof line === 'string' ? candidate === line : line.test(candidate)),
      );
      expect(at, `${line} is not in the output after line ${from}:\n${stdout}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
    }
    // 3 s on a quiet machine; a process that waits for a keep-alive socket would take 5 s more.
    expect(performance.now() - started).toBeLessThan(7_000);
  });

  it('mesh.yaml is a whole configuration', async () => {
    const mesh = await createMesh({ config: new URL('mesh.yaml', FOLDER).pathname });
    const explanation = mesh.explain({ method: 'GET', url: 'http://reviews/', headers: { 'user-agent': 'a mobile phone' } });
    expect(JSON.stringify(explanation)).toContain('v2');
    await mesh.close();
  });
});
