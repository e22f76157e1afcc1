// What a process loads, and with what: docs/architecture.md, "What is loaded when". Each in a fresh process, of the build.
import { describe, expect, it } from 'vitest';
import { loadedModules } from '../../bench/import-cost.ts';

const CREATE = (config: string, rest = ''): string => `const { createMesh } = await import('inmesh');
const mesh = await createMesh({ config: ${config} });
${rest}`;
const ONE = `{ services: { items: { endpoints: ['127.0.0.1:9'] } } }`;
/** Each costs a process 5 KiB and its text; what most meshes do without is loaded with what asks for it (mesh/parts.ts). */
const MODULES_MAX = 205;

/** Of ours, without folder and ending of the build; others by their URL. */
async function loaded(code: string): Promise<readonly string[]> {
  const dist = new URL('../../dist/', import.meta.url).href;
  return (await loadedModules(code)).map((url) => (url.startsWith(dist) ? url.slice(dist.length).replace(/\.js$/, '') : url));
}

const plain = loaded(CREATE(ONE));

describe('a mesh of plain services', () => {
  it('loads what it needs', async () => {
    const own = (await plain).filter((name) => !name.includes(':'));
    expect(own).toContain('mesh/compile');
    expect(own.length).toBeLessThanOrEqual(MODULES_MAX);
  });

  it('loads no room and no package that its configuration does not ask for', async () => {
    const unwanted = /^(inbound|access|identity|yaml|cli|sim)\/|\/(valibot|@opentelemetry|yaml|re2js|cockatiel)\//;
    expect((await plain).filter((name) => unwanted.test(name))).toEqual([]);
  });
});

describe('what is asked for is loaded', () => {
  it.each([
    ['a policy', CREATE(`{ services: { items: { endpoints: ['127.0.0.1:9'], throttle: true } } }`), 'resilience/throttle-layer'],
    ['endpoints by name', CREATE(`{ services: { items: { dns: '127.0.0.1:9' } } }`), 'discovery/dns-source'],
    ['TLS', CREATE(`{ services: { items: { endpoints: ['127.0.0.1:9'], tls: 'simple' } } }`), 'identity/rotating-tls'],
    ['a server', CREATE(ONE, `(await import('inmesh/server')).createServer(mesh, () => {});`), 'mesh/inbound'],
  ])('with %s', async (_name, code, module) => {
    expect(await plain).not.toContain(module);
    expect(await loaded(code)).toContain(module);
  });

  it('a mesh without servers says so, and counts nothing', async () => {
    const { createMesh } = await import('../../src/mesh/mesh.ts');
    await using mesh = await createMesh({ config: { services: {}, inbound: { admission: { initialLimit: 7 } } } });
    expect(() => mesh.inbound).toThrow('make a server with createServer');
    expect(mesh.snapshot().inbound).toMatchObject({ inFlight: 0, limit: 7, rejected: 0 });
  });
});
