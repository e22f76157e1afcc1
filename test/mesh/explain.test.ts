// Which rule and which line decide a call: read off a file whose lines are known.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { STACKS } from '../../src/mesh/stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-explain-'));
const file = join(folder, 'mesh.yaml');
const TEXT = `defaults:
  limits: { maxRequests: 7 }
services:
  reviews:
    endpoints: ['127.0.0.1:1']
    timeout: 3s
    routes:
      - name: search
        match: { path: { pathPrefix: /search } }
        timeout: 1s
      - name: rest
`;
let mesh: Mesh;

beforeAll(async () => {
  writeFileSync(file, TEXT);
  mesh = await createMesh({ config: file, watch: false });
});

afterAll(async () => {
  await mesh.close();
  rmSync(folder, { recursive: true });
});

function lineOf(url: string, name: string): string | undefined {
  const from = mesh.explain({ url }).fields.find((field) => field.name === name)?.from;
  return from?.replace(/^.*mesh\.yaml:/, '');
}

describe('explain', () => {
  const rows: [string, string, string][] = [
    ['/search/x', 'timeout', '10:9'],
    ['/other', 'timeout', '6:5'],
    ['/other', 'limits', '2:3'],
    ['/other', 'retries', 'default'],
    ['/other', 'circuitBreaker', 'default'],
  ];
  it.each(rows)('%s: %s was decided at %s', (path, name, expected) => {
    expect(lineOf(`http://reviews${path}`, name)).toBe(expected);
  });

  it('names the rule and its line', () => {
    const { route } = mesh.explain({ url: 'http://reviews/search' });
    expect(route).toMatchObject({ name: 'search', position: { line: 8 } });
    expect(mesh.explain({ url: 'http://reviews/searching' }).route?.name).toBe('rest');
  });

  it('prints every entry of the outbound stacks, in order', () => {
    const { pipeline } = mesh.explain({ url: 'http://reviews/' });
    const expected = STACKS.flatMap(({ name, entries }) => entries.map(({ role, why }) => [name, role, why]));
    expect(pipeline.map(({ stack, role, why }) => [stack, role, why])).toEqual(expected);
  });
});
