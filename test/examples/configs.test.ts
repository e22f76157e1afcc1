// Every configuration that the docs show is loaded as it stands.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatIssues, loadConfig, parseEndpointsFile } from '../../src/yaml/load.ts';
import { readFile } from 'node:fs/promises';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const files = ['mesh.yaml', ...readdirSync(`${EXAMPLES}config`).map((name) => `config/${name}`)];

describe('examples', () => {
  it.each(files.filter((name) => !name.includes('endpoints')))('%s loads without a fault or a warning', async (name) => {
    const result = await loadConfig(`${EXAMPLES}${name}`, { env: {}, cwd: EXAMPLES });
    expect('issues' in result ? formatIssues(result.issues) : formatIssues(result.warnings)).toBe('');
  });

  it('config/ratings.endpoints.yaml is a list of endpoints', async () => {
    const result = await parseEndpointsFile(await readFile(`${EXAMPLES}config/ratings.endpoints.yaml`, 'utf8'), 'ratings.endpoints.yaml');
    expect(result).toMatchObject({ endpoints: [{ address: '10.0.1.1:8080' }, { labels: { version: 'v2' } }] });
  });
});
