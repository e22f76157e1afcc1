// What `inmesh/yaml` does for a program: read, export, import, compare.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { diffConfigs, EXPORT_TARGETS, exportConfig, importConfig, loadConfig, type LoadedConfig } from '../../src/yaml.ts';

const cwd = mkdtempSync(join(tmpdir(), 'inmesh-face-'));
afterAll(() => rmSync(cwd, { recursive: true }));

async function load(text: string): Promise<LoadedConfig> {
  writeFileSync(join(cwd, 'mesh.yaml'), text);
  const result = await loadConfig('mesh.yaml', { cwd, env: { PORT: '8080' } });
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return result;
}

it('goes the whole way round', async () => {
  const first = await load("services: { a: { endpoints: ['10.0.0.1:${PORT}'], routes: [{ name: all, to: a, timeout: 2s }] } }");
  const { documents, losses } = await exportConfig(first, 'istio');
  expect(EXPORT_TARGETS).toContain('istio');
  expect(documents.map(({ kind, name, namespace, origin }) => [kind, `${namespace}/${name}`, origin])).toEqual([
    ['ServiceEntry', 'default/a', 'made'],
    ['VirtualService', 'default/a', 'made'],
    ['DestinationRule', 'default/a', 'made'],
  ]);
  expect(losses.filter(({ verdict }) => verdict === 'lost')).toEqual([]);
  const second = await load(documents.map(({ text }) => text).join('---\n'));
  const changed = diffConfigs(first, second).map(({ path }) => path);
  expect(changed.filter((path) => path.startsWith('services.a.routes[all]') && !path.includes('retries'))).toEqual([]);
  const { text } = await importConfig(second);
  expect(diffConfigs(second, await load(text)).filter(({ path }) => path.endsWith('.timeout'))).toEqual([]);
});

it('says what is wrong, and where', async () => {
  writeFileSync(join(cwd, 'bad.yaml'), 'services: { a: { tiemout: 2s } }');
  const result = await loadConfig('bad.yaml', { cwd });
  expect('issues' in result && result.issues[0]).toMatchObject({
    severity: 'error',
    suggestion: 'timeout',
    position: { file: 'bad.yaml', line: 1 },
  });
});
