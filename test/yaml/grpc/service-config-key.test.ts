// `grpcServiceConfig` of a service: in the file, beside it, and in code; with the place of every fault.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import type { ServiceConfig } from '../../../src/model/config.ts';
import type { ConfigIssue } from '../../../src/model/issue.ts';
import { loadConfig, type LoadedConfig, type LoadResult } from '../../../src/yaml/load.ts';
import { positionsOf } from '../../../src/yaml/write/positions.ts';

function load(files: Readonly<Record<string, string>>): Promise<LoadResult> {
  const readFile = async (path: string): Promise<string> => {
    const text = files[path.replace('/cwd/', '')];
    if (text === undefined) throw Object.assign(new Error('no file'), { code: 'ENOENT' });
    return text;
  };
  return loadConfig('mesh.yaml', { env: {}, cwd: '/cwd', readFile });
}

async function loaded(files: Readonly<Record<string, string>>): Promise<LoadedConfig> {
  const result = await load(files);
  if ('issues' in result) throw new Error(textOf(result.issues).join('\n'));
  return result;
}

function textOf(issues: readonly ConfigIssue[]): string[] {
  return issues.map(({ severity, message, position, suggestion }) => {
    const place = position === undefined ? '' : `${position.file}:${position.line}:${position.column} `;
    return `${place}${severity} ${message}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  });
}

const reviews = ({ config }: LoadedConfig): ServiceConfig => config.services['reviews'] as ServiceConfig;

const INLINE = `services:
  reviews:
    endpoints: [10.0.0.1:80]
    grpcServiceConfig:
      methodConfig:
        - name: [{ service: shop.Reviews }, {}]
          timeout: 2s
          retryPolicy: { maxAttempts: 3, initialBackoff: 0.1s, maxBackoff: 1s, backoffMultiplier: 2, retryableStatusCodes: [unavailable, 8] }
      retryThrottling: { maxTokens: 20, tokenRatio: 0.5 }
      loadBalancingConfig: [{ round_robin: {} }]
`;
const SERVICE_CONFIG = JSON.stringify({ methodConfig: [{ name: [{ service: 'shop.Reviews', method: 'Get' }], timeout: '1.5s' }] }, null, 2);
const NAMED = 'services: { reviews: { endpoints: [10.0.0.1:80], grpcServiceConfig: conf/reviews.json } }';

describe('grpcServiceConfig in a file', () => {
  it('becomes routes, budget and balancer, each with its place', async () => {
    const found = await loaded({ 'mesh.yaml': INLINE });
    const { routes, retryBudget, loadBalancer, sources } = reviews(found);
    expect(routes.map(({ name, timeoutMs, retries }) => [name, timeoutMs, retries?.attempts, retries?.grpcStatuses])).toEqual([
      ['grpc-shop.Reviews', 2_000, 2, [14, 8]],
      ['grpc-all', 2_000, 2, [14, 8]],
    ]);
    expect(retryBudget).toEqual({ kind: 'grpc', tokensMax: 20, tokenRatio: 0.5 });
    expect(loadBalancer.kind).toBe('roundRobin');
    expect(routes.map(({ source }) => [source?.line, source?.column])).toEqual([
      [6, 18],
      [6, 45],
    ]);
    expect(routes[0]?.sources).toMatchObject({ timeoutMs: { line: 7 }, retries: { line: 8 } });
    expect(sources).toMatchObject({ retryBudget: { line: 9 }, loadBalancer: { line: 10 } });
    // What is written elsewhere is told of as written: exports read it.
    const positions = positionsOf(found);
    const [route] = routes;
    expect(route === undefined ? 0 : positions.ofRoute(reviews(found), route, 'timeout')?.line).toBe(7);
    expect(positions.ofService(reviews(found), 'retryBudget')?.line).toBe(9);
  });

  it.each<[string, string, string[]]>([
    [
      'of a field that does not exist',
      INLINE.replace('maxAttempts', 'maxAtempts'),
      [
        'mesh.yaml:8:11 error services.reviews.grpcServiceConfig.methodConfig[0].retryPolicy.maxAttempts is missing',
        'mesh.yaml:8:26 error unknown key "maxAtempts" in services.reviews.grpcServiceConfig.methodConfig[0].retryPolicy; did you mean maxAttempts?',
      ],
    ],
    [
      'of a duration that is none of protobuf',
      INLINE.replace('timeout: 2s', 'timeout: 200ms'),
      [
        'mesh.yaml:7:20 error services.reviews.grpcServiceConfig.methodConfig[0].timeout must be a duration in seconds, such as 0.5s, not "200ms"',
      ],
    ],
    [
      'of calls that are named twice',
      INLINE.replace(', {}]', ', { service: shop.Reviews }]'),
      [
        'mesh.yaml:6:45 error services.reviews.grpcServiceConfig.methodConfig[0].name[1] names the same calls as another, at mesh.yaml:6:18; keep one',
      ],
    ],
    [
      'of routes beside it',
      `${INLINE}    routes: [{ timeout: 1s }]\n    loadBalancer: random\n`,
      [
        'mesh.yaml:11:5 error services.reviews.routes is said by grpcServiceConfig, too, at mesh.yaml:4:5; keep one',
        'mesh.yaml:12:5 error services.reviews.loadBalancer is said by grpcServiceConfig, too, at mesh.yaml:4:5; keep one',
      ],
    ],
  ])('names the place %s', async (_name, text, expected) => {
    const result = await load({ 'mesh.yaml': text });
    expect('issues' in result ? textOf(result.issues) : []).toEqual(expected);
  });

  it('leaves the routes to the service where it names no method', async () => {
    const text = `services: { reviews: { endpoints: [10.0.0.1:80], grpcServiceConfig: { retryThrottling: { maxTokens: 5 } }, routes: [{ name: own, timeout: 1s }] } }`;
    const { routes, retryBudget } = reviews(await loaded({ 'mesh.yaml': text }));
    expect(routes.map(({ name, source }) => [name, source?.line])).toEqual([['own', 1]]);
    expect(retryBudget).toMatchObject({ kind: 'grpc', tokensMax: 5 });
  });

  it('does not give way in silence to a document that has routes, too', async () => {
    const document = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews } }] }] }
`;
    const result = await load({ 'mesh.yaml': `${INLINE}${document}` });
    const found = 'issues' in result ? textOf(result.issues) : [];
    expect(found).toEqual([expect.stringContaining('reviews has its routes twice, first at mesh.yaml:5:7; keep one')]);
  });

  it('warns of what nobody reads', async () => {
    const { warnings } = await loaded({
      'mesh.yaml': INLINE.replace('round_robin', 'pick_first').replace('timeout: 2s', 'waitForReady: true'),
    });
    expect(textOf(warnings)).toEqual([
      'mesh.yaml:7:25 warning services.reviews.grpcServiceConfig.methodConfig[0].waitForReady is not read; the caller says it in the metadata',
      'mesh.yaml:10:28 warning services.reviews.grpcServiceConfig.loadBalancingConfig: pick_first is not read; the loadBalancer of the service holds',
    ]);
  });
});

describe('grpcServiceConfig of a file of its own', () => {
  it('is read beside the file that names it, watched, and part of what makes a configuration another', async () => {
    const found = await loaded({ 'mesh.yaml': NAMED, 'conf/reviews.json': SERVICE_CONFIG });
    const [route] = reviews(found).routes;
    expect([route?.name, route?.timeoutMs]).toEqual(['grpc-shop.Reviews-Get', 1_500]);
    expect(route?.sources?.['timeoutMs']).toEqual({ file: 'conf/reviews.json', line: 10, column: 18 });
    expect(found.files).toEqual(['/cwd/mesh.yaml', '/cwd/conf/reviews.json']);
    expect(found.at(['services', 'reviews', 'grpcServiceConfig', 'methodConfig', 0])?.file).toBe('conf/reviews.json');
    const other = await loaded({ 'mesh.yaml': NAMED, 'conf/reviews.json': SERVICE_CONFIG.replace('1.5s', '1.6s') });
    expect(other.hash).not.toBe(found.hash);
  });

  it.each<[string, string | null, string[]]>([
    [
      'is not there',
      null,
      ['mesh.yaml:1:69 error services.reviews.grpcServiceConfig: conf/reviews.json cannot be read; write the file, or correct the path'],
    ],
    ['is no JSON', '{ "methodConfig": [', ['conf/reviews.json:1:20 error']],
    ['is a list', '[]', ['conf/reviews.json:1:1 error the file must be one gRPC service config: a mapping with methodConfig and so on']],
    ['is empty', '', ['conf/reviews.json:1:1 error the file must be one gRPC service config: a mapping with methodConfig and so on']],
    [
      'has a fault',
      SERVICE_CONFIG.replace('1.5s', '5m'),
      [
        'conf/reviews.json:10:18 error services.reviews.grpcServiceConfig.methodConfig[0].timeout must be a duration in seconds, such as 0.5s, not "5m"',
      ],
    ],
  ])('that %s is a fault with its place', async (_name, text, expected) => {
    const result = await load({ 'mesh.yaml': NAMED, ...(text === null ? {} : { 'conf/reviews.json': text }) });
    const issues = 'issues' in result ? result.issues : [];
    expect(textOf(issues).map((one, i) => (expected[i]?.endsWith(' error') === true ? one.slice(0, expected[i].length) : one))).toEqual(
      expected,
    );
    expect(issues[0]?.frame).toBeDefined();
  });
});

describe('a mesh', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  it('reads the file for a configuration in code, too, and says what is wrong with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inmesh-'));
    folders.push(folder);
    const path = join(folder, 'reviews.json');
    await writeFile(path, SERVICE_CONFIG);
    const config = { services: { reviews: { endpoints: ['127.0.0.1:1'], grpcServiceConfig: path } } };
    await using mesh = await createMesh({ config });
    const timeout = (): unknown =>
      mesh.explain({ url: 'http://reviews/shop.Reviews/Get' }).fields.find(({ name }) => name === 'timeout')?.value;
    expect(timeout()).toBe('1.5s');
    await writeFile(path, SERVICE_CONFIG.replace('1.5s', '2.5s'));
    await mesh.reload();
    expect(timeout()).toBe('2.5s');
    await writeFile(path, '{}}');
    await expect(mesh.reload()).rejects.toMatchObject({ code: 'config_invalid', message: expect.stringContaining('reviews.json:1:3') });
  });

  it('looks at a file that a reload has named from then on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inmesh-'));
    folders.push(folder);
    const [file, path] = [join(folder, 'mesh.yaml'), join(folder, 'conf.json')];
    const service = (more: string): string => `services: { reviews: { endpoints: ['127.0.0.1:1']${more} } }`;
    await writeFile(file, service(''));
    await writeFile(path, SERVICE_CONFIG);
    await using mesh = await createMesh({ config: file });
    const loads = (): Promise<unknown> => new Promise((resolve) => mesh.events.addEventListener('configLoaded', resolve, { once: true }));
    const first = loads();
    await writeFile(file, service(', grpcServiceConfig: conf.json'));
    await first;
    const second = loads();
    await writeFile(path, SERVICE_CONFIG.replace('1.5s', '2.5s'));
    await second;
  });
});
