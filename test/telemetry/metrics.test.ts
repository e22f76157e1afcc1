import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/telemetry/metrics.ts';

const ALLOWED = new Set([
  'inmesh.service',
  'inmesh.policy',
  'inmesh.route',
  'inmesh.destination',
  'inmesh.status_class',
  'inmesh.retry.reason',
  'inmesh.retry.denied',
  'inmesh.action',
  'inmesh.limit',
  'inmesh.state',
  'inmesh.reason',
  'http.request.method',
  'http.response.status_code',
  'server.address',
  'url.scheme',
  'http.route',
  'network.protocol.version',
  'rpc.system.name',
  'rpc.method',
  'rpc.status_code',
  'grpc.method',
  'grpc.target',
  'grpc.status',
  'error.type',
]);

describe('METRICS', () => {
  it.each(METRICS.map((metric) => [metric.name, metric] as const))('%s is well formed', (_name, metric) => {
    expect(metric.name).toMatch(/^[a-z][a-z0-9_.]{0,254}$/);
    expect(metric.description).toMatch(/^[A-Z].*\.$/);
    expect(metric.unit).toMatch(/^(s|1|\{[a-z_]+\})$/);
    expect(metric.unit === 's' || metric.kind !== 'histogram' || metric.buckets?.scale === 1).toBe(true);
    for (const attribute of metric.attributes) expect(ALLOWED).toContain(attribute);
  });

  it('has every name once, and every name of its types', () => {
    const names = METRICS.map((metric) => metric.name);
    expect(new Set(names).size).toBe(names.length);
    const source = readFileSync(new URL('../../src/telemetry/metrics.ts', import.meta.url), 'utf8');
    const typed = [...source.slice(0, source.indexOf('export type MetricName')).matchAll(/'([a-z][a-z._]+)'/g)].map((match) => match[1]);
    expect(typed.filter((name) => !name?.startsWith('.')).sort()).toEqual([...names].sort());
  });
});
