// `inmesh explain` on documents of meshes: the rule, the rules before it and why not, the line that decided each field, and
// whose field it is. The command itself, without a process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { explain } from '../../src/cli/explain.ts';
import type { Explanation } from '../../src/mesh/explain.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-explain-'));
const FILES: Readonly<Record<string, string>> = {
  'shop/services.yaml': `unknownHosts: refuse
services:
  reviews:
    endpoints: [10.0.0.1:80, 10.0.0.2:80]
    limits: { maxRequests: 9 }
  ratings:
    endpoints: [10.0.1.1:80]
`,
  'shop/reviews.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - name: mobile
      match:
        - headers: { user-agent: { regex: '.*mobile.*' } }
          method: { exact: GET }
        - uri: { prefix: /m/ }
      route: [{ destination: { host: reviews } }]
    - name: inside
      match:
        - headers: { user-type: { exact: internal } }
          withoutHeaders: { x-test: {} }
          queryParams: { q: { exact: '1' } }
      timeout: 3s
      retries:
        attempts: 1
        retryOn: '503'
      route:
        - { destination: { host: reviews }, weight: 3 }
        - { destination: { host: ratings }, weight: 1 }
    - name: gone
      match: [{ uri: { exact: /gone } }]
      directResponse: { status: 410 }
    - name: lost
      match: [{ uri: { prefix: /lost } }]
      route: [{ destination: { host: nowhere } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ratings }
spec:
  host: ratings
  trafficPolicy:
    loadBalancer: { simple: ROUND_ROBIN }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: partners }
spec:
  hosts: ['*.partner.example']
  ports: [{ number: 443, name: https, protocol: HTTPS }]
  resolution: NONE
`,
  'twice.yaml': `services: { reviews: { endpoints: [10.0.0.1:80] } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [reviews], http: [{ name: first, route: [{ destination: { host: reviews } }] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: b }
spec: { hosts: [reviews], http: [{ name: second, route: [{ destination: { host: reviews } }] }] }
`,
};
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
afterAll(() => rmSync(folder, { recursive: true }));

type Values = Readonly<Record<string, string | boolean | readonly string[]>>;

async function run(positionals: readonly string[], values: Values): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const terminal = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    env: {},
    cwd: folder,
  };
  const code = await explain({ positionals, values, terminal });
  return { code, ...written };
}

async function explained(url: string, ...header: readonly string[]): Promise<Explanation> {
  const { out } = await run([url], { config: ['shop'], json: true, header });
  return JSON.parse(out) as Explanation;
}

const INSIDE = ['user-agent: curl', 'user-type: internal'];

describe('inmesh explain, on documents of a mesh', () => {
  it('names the rule, its line and its mesh', async () => {
    const { route, skipped } = await explained('http://reviews/m/1');
    expect(route).toMatchObject({ name: 'mobile', dialect: 'istio', position: { file: 'shop/reviews.yaml', line: 7 } });
    expect(skipped).toEqual([]);
  });

  it('says what the rules before it asked for', async () => {
    const { skipped } = await explained('http://reviews/gone', 'user-agent: curl');
    expect(skipped.map(({ name, position, reason }) => [name, position?.line, reason])).toEqual([
      ['mobile', 7, 'header user-agent is "curl", wanted regex ".*mobile.*"; or the path is "/gone", wanted prefix "/m/"'],
      ['inside', 13, 'header user-type is missing, wanted exact "internal"'],
    ]);
  });

  it.each<[string, readonly string[], string]>([
    ['/?q=2', INSIDE, 'query parameter q is "2", wanted exact "1"'],
    ['/', INSIDE, 'query parameter q is missing, wanted exact "1"'],
    ['/?q=1', [...INSIDE, 'x-test: a'], 'header x-test is "a", wanted none'],
  ])('%s with %s: %s', async (path, header, reason) => {
    const { skipped } = await explained(`http://reviews${path}`, ...header);
    expect(skipped.find(({ name }) => name === 'inside')?.reason).toBe(reason);
  });

  it('asks for the method like the rule does', async () => {
    const { out } = await run(['POST', 'http://reviews/x'], { config: ['shop'], json: true, header: ['user-agent: mobile'] });
    const { skipped } = JSON.parse(out) as Explanation;
    expect(skipped[0]?.reason).toBe('the method is "POST", wanted exact "GET"; or the path is "/x", wanted prefix "/m/"');
  });

  it('names the line of each field, and the service whose field it is', async () => {
    const { fields } = await explained('http://reviews/?q=1', ...INSIDE);
    const fromOf = Object.fromEntries(fields.map(({ name, from, of }) => [`${of ?? ''}:${name}`, from]));
    expect(fromOf).toMatchObject({
      ':timeout': 'shop/reviews.yaml:18:7',
      ':retries': 'shop/reviews.yaml:19:7',
      ':limits': 'shop/services.yaml:5:5',
      ':endpoints': 'shop/services.yaml:4:5',
      'ratings:retries': 'shop/reviews.yaml:19:7',
      'ratings:loadBalancer': 'shop/reviews.yaml:38:5',
      'ratings:endpoints': 'shop/services.yaml:7:5',
    });
    expect(fromOf['ratings:retryBudget']).toBe('default of istio');
    expect(fields.find(({ name }) => name === 'retries')?.value).toBe('1, on 503, any method, back-off 25 to 250 ms');
  });

  it("says what is the mesh's own default", async () => {
    const { fields } = await explained('http://reviews/m/');
    expect(fields.find(({ name }) => name === 'timeout')).toMatchObject({ value: 'none', from: 'default of istio' });
    expect(fields.find(({ name }) => name === 'tls')).toMatchObject({ value: 'disable', from: 'default' });
  });

  it('reaches no endpoint where the mesh itself answers, or nobody can be called', async () => {
    const gone = await explained('http://reviews/gone');
    expect({ name: gone.route?.name, targets: gone.targets }).toEqual({ name: 'gone', targets: [] });
    expect(gone.text).toContain('targets   none: the mesh itself answers');
    expect(gone.pipeline.filter(({ stack, active }) => stack === 'endpoint' && active)).toEqual([]);
    const lost = await explained('http://reviews/lost');
    expect(lost.targets).toMatchObject([{ name: expect.stringMatching(/^503 NC \(no service has the host nowhere\./), percent: 100 }]);
    expect(lost.pipeline.find(({ role }) => role === 'transport')).toMatchObject({ active: false, detail: 'not reached' });
    expect((await explained('http://reviews/other')).route?.name).toBe('no-route');
  });

  it('knows the hosts that pass', async () => {
    expect((await explained('https://a.partner.example/')).fields[0]?.value).toBe(
      'it goes on untouched (passHosts: *.partner.example:443)',
    );
    expect((await explained('http://a.partner.example/')).fields[0]?.value).toMatch(/^it is refused/);
    expect((await explained('http://elsewhere/')).fields[0]?.value).toBe('it is refused (unknownHosts: refuse)');
  });

  it('prints all of it', async () => {
    const { out } = await run(['http://reviews/?q=1'], { config: ['shop'], header: INSIDE });
    expect(out).toMatch(
      /^ {2}route {5}inside \(shop\/reviews\.yaml:13:7, istio\): rule 2, after 1 that did not match; all its conditions hold$/m,
    );
    expect(out).toMatch(/^ {2}before it mobile \(shop\/reviews\.yaml:7:7\): header user-agent is "curl"/m);
    expect(out).toMatch(/^ {2}targets {3}reviews 75 %, ratings 25 %$/m);
    expect(out).toMatch(/^\n {2}to ratings\n {2}retries {11}1, on 503/m);
  });

  it('settles what a mesh settles when told to', async () => {
    const strict = await run(['http://reviews/'], { config: ['twice.yaml'] });
    expect({ code: strict.code, out: strict.out }).toEqual({ code: 1, out: '' });
    expect(strict.err).toMatch(/^twice\.yaml:11:\d+ error {2}VirtualService default\/a \(twice\.yaml:5:\d+\) has rules for reviews/);
    const lenient = await run(['http://reviews/'], { config: ['twice.yaml'], lenient: true });
    expect(lenient.out).toMatch(/^ {2}route {5}first /m);
  });
});
