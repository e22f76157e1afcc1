// The documents that have to work as they are: loading and meaning. What sockets see of them is tested elsewhere.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { MeshConfig } from '../../../src/model/config.ts';
import { documents, SERVICES } from './documents.ts';
import { goodText, issuesOfText } from './load-text.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/acceptance', import.meta.url));

const read = (file: string): string => readFileSync(`${FOLDER}/${file}`, 'utf8');

function shares(config: MeshConfig, service: string): string[] {
  return (config.services[service]?.routes ?? []).map(({ matches, targets, directResponse }) => {
    const when = matches
      .flatMap(({ headers }) => Object.entries(headers).map(([name, match]) => `${name} ${JSON.stringify(match)}`))
      .join();
    return `${when} -> ${directResponse?.status ?? targets.map(({ subset = '-', weight, fails }) => `${subset} ${weight}${fails === undefined ? '' : ` ${fails.flag}`}`).join(', ')}`;
  });
}

const MOBILE = 'user-agent {"kind":"regex","value":".*mobile.*","invert":false} -> v2 1';

describe.skipIf(!existsSync(FOLDER))('acceptance inputs (skipped where they do not lie beside the checkout)', () => {
  it('reviews-canary-mobile.yaml', async () => {
    const text = documents(SERVICES, read('reviews-canary-mobile.yaml'));
    const config = await goodText(text);
    expect(await issuesOfText(text)).toEqual([]);
    expect(shares(config, 'reviews')).toEqual([MOBILE, ' -> v1 80, v2 20']);
    expect(config.services.reviews).toMatchObject({
      limits: { maxConnections: 100, maxPendingRequests: 50, maxRequestsPerConnection: 2, maxRequests: 0 },
      subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
      endpoints: { endpoints: [{ address: '10.0.0.1:80' }, { address: '10.0.0.2:80' }] },
    });
    // One service for both subsets, so that the limits hold for both together.
    expect(Object.keys(config.services)).toEqual(['reviews', 'ratings']);
  });

  it('reviews-canary-mobile.yaml alone', async () => {
    const text = read('reviews-canary-mobile.yaml');
    expect(shares(await goodText(text), 'reviews')).toEqual([`${MOBILE} NC`, ' -> v1 80 NC, v2 20 NC']);
    expect(await issuesOfText(text)).toHaveLength(3);
  });

  it('reviews-progressive.yaml', async () => {
    const concise = SERVICES.replace('  ratings:', '    subsets: { v1: { version: v1 }, v2: { version: v2 } }\n  ratings:');
    const text = documents(concise, read('reviews-progressive.yaml'));
    expect(await issuesOfText(text)).toEqual([]);
    expect(shares(await goodText(text), 'reviews')).toEqual([
      'user-type {"kind":"exact","value":"internal","invert":false} -> v2 1',
      ' -> v1 95, v2 5',
    ]);
  });

  it('my-app-split.yaml', async () => {
    const concise = "services:\n  my-app:\n    endpoints: ['10.0.0.1:80']\n    subsets: { v1: {}, v2: {} }";
    expect(shares(await goodText(documents(concise, read('my-app-split.yaml'))), 'my-app')).toEqual([' -> v1 90, v2 10']);
  });

  it('my-service.yaml: no such cluster', async () => {
    const text = read('my-service.yaml');
    const { services } = await goodText(text);
    expect(services['my-service.local']?.routes[0]?.targets).toMatchObject([{ subset: 'v1', fails: { status: 503, flag: 'NC' } }]);
    expect(await issuesOfText(text)).toEqual([
      '11:13 warning IST0101 no service has the host my-service.default.svc.cluster.local, so there is no subset v1; its calls are answered 503',
    ]);
    const known = documents("services: { my-service: { endpoints: ['10.0.0.1:80'] } }", text);
    expect(await issuesOfText(known)).toEqual([
      '13:13 warning IST0101 my-service.default.svc.cluster.local has no subset v1; its calls are answered 503',
    ]);
    expect(Object.values((await goodText(known)).services).map(({ name, hosts }) => [name, hosts])).toEqual([
      ['my-service', ['my-service']],
      ['my-service.local', ['my-service.local']],
    ]);
  });
});
