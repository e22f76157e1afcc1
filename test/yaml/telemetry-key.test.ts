// `telemetry` of the concise form: what stands there, beside Istio's Telemetry, which is about other things.
import { describe, expect, it } from 'vitest';
import { diffConfigs } from '../../src/yaml/diff.ts';
import { exportConfig } from '../../src/yaml/export.ts';
import { importConfig } from '../../src/yaml/import.ts';
import { loadConfig, type LoadedConfig } from '../../src/yaml/load.ts';

const SERVICES = 'services: { reviews: { endpoints: [10.0.0.1:80] } }\n';
const ON = `${SERVICES}telemetry: { grpcMetrics: true }\n`;
const ISTIO = `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: default }
spec: { tracing: [{ randomSamplingPercentage: 10 }] }
`;

async function loaded(text: string): Promise<LoadedConfig> {
  const result = await loadConfig('mesh.yaml', { env: {}, cwd: '/cwd', readFile: async () => text });
  if ('issues' in result)
    throw new Error(result.issues.map(({ position, message }) => `${position?.line}:${position?.column} ${message}`).join('\n'));
  return result;
}

describe('telemetry', () => {
  it.each<[string, string, boolean | undefined]>([
    ['is off', SERVICES, undefined],
    ['is on', ON, true],
    ['is said to be off', `${SERVICES}telemetry: { grpcMetrics: false }\n`, undefined],
  ])('%s', async (_name, text, expected) => {
    expect((await loaded(text)).config.grpcMetrics).toBe(expected);
  });

  it('says where it is wrong', async () => {
    const faulty = loaded(`${SERVICES}telemetry: { grpcMetric: true }\n`);
    await expect(faulty).rejects.toThrow('2:14 unknown key "grpcMetric" in telemetry');
  });

  it("stands beside Istio's Telemetry, in diffs, too", async () => {
    const [both, other] = [await loaded(`${ON}${ISTIO}`), await loaded(`${SERVICES}${ISTIO}`)];
    expect([both.config.grpcMetrics, both.config.telemetry?.client.tracing.samplingPercent]).toEqual([true, 10]);
    expect(diffConfigs(both, both)).toEqual([]);
    expect(diffConfigs(both, other).map(({ path }) => path)).toEqual(['telemetry.grpcMetrics']);
    expect(diffConfigs(await loaded(ON), await loaded(SERVICES)).map(({ path }) => path)).toEqual(['telemetry']);
  });

  it('is kept by an import, and named as lost by an export', async () => {
    const on = await loaded(ON);
    expect((await importConfig(on)).text).toContain('telemetry:\n  grpcMetrics: true\n');
    for (const mesh of ['istio', 'gateway-api', 'linkerd', 'smi'] as const) {
      const { losses } = await exportConfig(on, mesh);
      expect(losses.filter(({ field }) => field.startsWith('telemetry')).map(({ verdict }) => verdict)).toEqual(['lost']);
    }
  });
});
