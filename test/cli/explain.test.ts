import { afterAll, describe, expect, it } from 'vitest';
import { cliFolder } from './run-cli.ts';

const folder = cliFolder({
  'mesh.yaml': `services:
  reviews:
    endpoints:
      - { address: 127.0.0.1:1, labels: { version: v1 } }
      - { address: 127.0.0.1:2, labels: { version: v2 } }
    subsets: { v1: { version: v1 }, v2: { version: v2 } }
    routes:
      - { name: phones, match: { headers: { user-agent: { prefix: mobile } } }, to: v2 }
`,
  'other.yaml': 'services: { reviews: { dns: reviews.invalid:80 } }',
  'bad.yaml': 'services: { a: {} }',
});
afterAll(() => folder.remove());

interface Explanation {
  readonly service: string | null;
  readonly route: { readonly name: string } | null;
  readonly targets: readonly { readonly name: string; readonly percent: number }[];
}

async function explain(...args: string[]): Promise<Explanation> {
  const { code, out, err } = await folder.run(['explain', '--json', ...args]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Explanation;
}

describe('inmesh explain', () => {
  it('says which route a call takes', async () => {
    expect(await explain('GET', 'http://reviews/x', '-H', 'User-Agent: mobile')).toMatchObject({
      service: 'reviews',
      route: { name: 'phones' },
      targets: [{ name: 'reviews/v2', percent: 100 }],
    });
    expect(await explain('http://reviews/x')).toMatchObject({ route: { name: 'default' } });
    expect(await explain('post', 'http://elsewhere/')).toMatchObject({ service: null, route: null });
  });

  it('prints text', async () => {
    const { code, out } = await folder.run(['explain', 'http://reviews/x']);
    expect(code).toBe(0);
    expect(out).toContain('reviews');
    expect(out.endsWith('\n')).toBe(true);
  });

  it('takes another configuration, and waits for no name server', async () => {
    expect(await explain('http://reviews/', '-c', 'other.yaml')).toMatchObject({ service: 'reviews', route: { name: 'default' } });
  });

  it('prints the faults of a configuration', async () => {
    const bad = await folder.run(['explain', 'http://a/', '-c', 'bad.yaml']);
    expect(bad).toMatchObject({ code: 1, out: '' });
    expect(bad.err).toMatch(/^bad\.yaml:1:13 error {2}service "a" does not say who answers for it/);
    const json = await folder.run(['explain', 'http://a/', '-c', 'bad.yaml', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, issues: [{ position: { line: 1, column: 13 } }] });
  });

  it.each<[string, string[], string]>([
    ['no URL', [], 'give one URL, or a method and a URL'],
    ['too much', ['GET', 'http://a/', 'x'], 'give one URL, or a method and a URL'],
    ['no real URL', ['reviews/x'], '"reviews/x" is not a URL such as http://reviews/api/1'],
    ['a header without name', ['http://a/', '-H', ': x'], 'the header ": x" has no name; write -H \'name: value\''],
  ])('exits with 2 for %s', async (_name, args, message) => {
    const { code, err } = await folder.run(['explain', ...args]);
    expect(code).toBe(2);
    expect(err.split('\n')[0]).toBe(`inmesh explain: ${message}`);
  });
});
