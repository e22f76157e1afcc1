// strict-mtls.yaml and allow-reviews.yaml load as they are into a running mesh, and are explained. What servers do with them
// is tested with the servers.
import { afterEach, describe, expect, it } from 'vitest';
import { explainPolicies } from '../../../src/access/explain-policies.ts';
import { loadMeshConfig } from '../../../src/mesh/config-source.ts';
import { countingServer } from '../counting-server.ts';
import { acceptanceFile, answersOf, HAS_ACCEPTANCE, Site, SKIPPED, versions } from './acceptance-mesh.ts';

const site = new Site();
afterEach(() => site.close());

const FILES = ['strict-mtls.yaml', 'allow-reviews.yaml'].map(acceptanceFile);

if (!HAS_ACCEPTANCE) it.skip(SKIPPED, () => {});

describe.runIf(HAS_ACCEPTANCE)('strict-mtls.yaml and allow-reviews.yaml', () => {
  it('load beside the traffic documents; calls go on', async () => {
    const v1 = await site.server(countingServer('v1'));
    const v2 = await site.server(countingServer('v2'));
    const services = { reviews: { endpoints: versions({ v1, v2 }) } };
    const concise = { self: { service: 'productpage', labels: { app: 'productpage' } }, services };
    const { mesh, warnings } = await site.mesh([...FILES, acceptanceFile('reviews-canary-mobile.yaml')], concise);
    expect(warnings).toBe('');
    expect((await answersOf(mesh, 'http://reviews/', 100)).size).toBe(2);
  });

  it('are explained to the workload that they are about', async () => {
    const { config } = await loadMeshConfig(FILES, {});
    const self = { ...config.self, service: 'reviews', labels: { app: 'reviews' } };
    const { text } = explainPolicies(config.inbound.policies ?? [], self);
    expect(text).toContain('connections: strict (istio-system/default)');
    expect(text).toContain('from principals cluster.local/ns/default/sa/productpage to methods GET');
    expect(text).toContain('allow-reviews.yaml:');
    const other = explainPolicies(config.inbound.policies ?? [], { ...self, service: 'ratings', labels: { app: 'ratings' } });
    expect(other.text).not.toContain('productpage');
    expect(other.others).toBe(1);
  });
});
