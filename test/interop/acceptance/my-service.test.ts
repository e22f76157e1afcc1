// my-service.yaml over real sockets: a subset that nobody has.
import { afterEach, describe, expect, it } from 'vitest';
import { countingServer } from '../counting-server.ts';
import { acceptanceFile, HAS_ACCEPTANCE, Site, SKIPPED, versions } from './acceptance-mesh.ts';

const site = new Site();
afterEach(() => site.close());

if (!HAS_ACCEPTANCE) it.skip(SKIPPED, () => {});

describe.runIf(HAS_ACCEPTANCE)('my-service.yaml', () => {
  it.each([
    ['alone', {}],
    ['beside the service', { 'my-service': {} }],
  ])('my-service.yaml %s: 503, no such cluster', async (_, known) => {
    const v1 = await site.server(countingServer('v1'));
    const services = Object.fromEntries(Object.keys(known).map((name) => [name, { endpoints: versions({ v1 }) }]));
    const file = [acceptanceFile('my-service.yaml')];
    const { mesh, warnings } = await site.mesh(file, { services });
    expect(warnings).toMatch(/my-service\.yaml:\d+:\d+/);
    expect(warnings).toMatch(/no subset v1; its calls are answered 503/);
    const answer = await mesh.fetch('http://my-service.local/');
    expect([answer.status, answer.headers.get('x-answered-by')]).toEqual([503, null]);
    const explained = mesh.explain({ url: 'http://my-service.local/' });
    expect(JSON.stringify(explained)).toContain('NC');
  });
});
