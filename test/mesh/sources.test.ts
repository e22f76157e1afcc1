// Where the configuration of a mesh comes from, and what a client makes of its URL.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DnsResolver } from '../../src/discovery/dns-resolver.ts';
import { type ClientOptions, createClient } from '../../src/mesh/client.ts';
import { defaultSource } from '../../src/mesh/config-source.ts';
import { fallback, outlierDetection, timeout } from '../../src/mesh/policies.ts';
import { originLookup } from '../../src/mesh/origins.ts';
import { HostTable } from '../../src/mesh/host-table.ts';

const nobody = async (): Promise<never[]> => [];
const NOBODY: DnsResolver = { resolve4: nobody, resolve6: nobody, resolveSrv: nobody, lookup: nobody };
const before = process.cwd();
afterEach(() => process.chdir(before));

describe('without a configuration', () => {
  it.each([
    ['one path', 'a.yaml', ['a.yaml']],
    ['several', 'a.yaml, b', ['a.yaml', 'b']],
  ])('$INMESH_CONFIG with %s', async (_name, named, expected) => expect(await defaultSource({ INMESH_CONFIG: named })).toEqual(expected));

  it.each([[{}], [{ INMESH_CONFIG: '' }]])('%j: ./mesh.yaml where there is one, else nothing', async (env) => {
    const folder = mkdtempSync(join(tmpdir(), 'inmesh-source-'));
    process.chdir(folder);
    expect(await defaultSource(env)).toEqual({});
    writeFileSync(join(folder, 'mesh.yaml'), '');
    expect(await defaultSource(env)).toBe('mesh.yaml');
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
});

describe('the URL of a client', () => {
  it.each([
    ['http://reviews.internal', 'dns reviews.internal:80'],
    ['https://reviews.internal', 'dns reviews.internal:443'],
    ['https://reviews.internal:8443', 'dns reviews.internal:8443'],
    ['http://[::1]:81', '[::1]:81'],
  ])('%s is asked for at %s', async (url, endpoints) => {
    await using client = createClient(url, { resolver: NOBODY, readyMs: 0 } as ClientOptions);
    const { fields } = await client.explain('/');
    expect(fields.find(({ name }) => name === 'endpoints')?.value).toBe(endpoints);
    expect(fields.find(({ name }) => name === 'tls')?.value).toBe(url.startsWith('https:') ? 'simple' : 'disable');
  });

  it('takes endpoints with weights into subsets', async () => {
    await using client = createClient('http://reviews', {
      endpoints: { v1: ['10.0.0.1:80', { address: '10.0.0.2:80', weight: 3, labels: { zone: 'a' } }] },
    });
    const { endpoints } = (await client.snapshot()).services.reviews ?? { endpoints: [] };
    expect(endpoints.map(({ address }) => address)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('is what relative paths are of; URLs and requests stay what they are', async () => {
    const seen: string[] = [];
    const transport = () => (call: { readonly scheme: string; readonly authority: string; readonly path: string }) => {
      seen.push(`${call.scheme}://${call.authority}${call.path}`);
      return Promise.reject(new Error('seen'));
    };
    await using client = createClient('http://reviews/api/', {
      endpoints: ['10.0.0.1:80'],
      transport: transport as never,
      policies: [timeout('1s'), outlierDetection()],
    });
    for (const input of ['x', '/y', new URL('http://reviews/z'), new Request('http://reviews/w')])
      await client.fetch(input).catch(() => {});
    expect(seen).toEqual(['http://reviews/api/x', 'http://reviews/y', 'http://reviews/z', 'http://reviews/w']);
  });

  it('has routes of its own: what is said of all routes is said of each', async () => {
    await using client = createClient('http://reviews', { endpoints: ['10.0.0.1:80'], policies: [fallback({ body: '[]' })] });
    expect((await client.explain('/')).fields.find(({ name }) => name === 'fallback')?.value).toBe('a fixed answer, 200');
  });
});

describe('an origin', () => {
  it.each([
    ['http://reviews', 'found'],
    ['http://reviews.', 'found'],
    ['http://reviews:8080', 'found'],
    ['ftp://reviews', 'found'],
    ['nonsense', null],
    ['http://ratings', null],
  ])('%s', (origin, expected) => {
    const hosts = new HostTable<object>();
    hosts.add('reviews', { service: 'found' });
    expect(originLookup({ hosts } as never)(origin)?.service ?? null).toBe(expected);
  });
});
