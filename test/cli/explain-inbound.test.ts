// `inmesh explain --inbound`: policies in words, and what they decide about one caller.
import { afterAll, describe, expect, it } from 'vitest';
import type { InboundExplanation } from '../../src/cli/explain-inbound.ts';
import { cliFolder } from './run-cli.ts';

const folder = cliFolder({
  'mesh.yaml': `self: { service: reviews, namespace: default, serviceAccount: reviews, labels: { app: reviews } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: reviews }
spec: { selector: { matchLabels: { app: reviews } }, portLevelMtls: { 8080: { mode: PERMISSIVE } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers }
spec:
  selector: { matchLabels: { app: reviews } }
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/productpage] } }]
      to: [{ operation: { methods: [GET] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nobody-here }
spec:
  action: DENY
  rules: [{ to: [{ operation: { paths: [/admin/*] } }], when: [{ key: 'request.headers[x-test]', values: ['1'] }] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: asked }
spec:
  action: CUSTOM
  provider: { name: opa }
  rules: [{ to: [{ operation: { paths: [/asked] } }] }]
`,
  'open.yaml': 'services: {}\n',
  'strict.yaml': 'identity: { external: true }\ninbound: { mtls: strict }\n',
  'admin.yaml': 'inbound: { deny: [{ paths: [/admin] }] }\n',
});
afterAll(() => folder.remove());

const PAGE = 'cluster.local/ns/default/sa/productpage';

async function explained(...args: string[]): Promise<InboundExplanation> {
  const { code, out, err } = await folder.run(['explain', '--inbound', '--json', ...args]);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as InboundExplanation;
}

describe('inmesh explain --inbound', () => {
  it('says which policies are about this process', async () => {
    const { code, out } = await folder.run(['explain', '--inbound']);
    expect(code).toBe(0);
    expect(out).toContain('connections: strict (istio-system/default)\nconnections on port 8080: permissive (default/reviews)\n');
    expect(out).toContain('default/readers (mesh.yaml:15:19, istio)\n  ALLOW for workloads of namespace default with app=reviews\n');
    expect((await explained()).decision).toBeNull();
    expect((await folder.run(['explain', '--inbound', '-c', 'open.yaml'])).out).toBe('no policy is about this process\n');
  });

  it.each<[args: string[], lines: string]>([
    [['/x', '--principal', PAGE], `GET /x by ${PAGE}\n  let in\n`],
    [['/x', '--principal', `spiffe://${PAGE}`], `GET /x by spiffe://${PAGE}\n  let in\n`],
    [
      ['post', '/x', '--principal', PAGE],
      '  403, what lets callers in does not take it: default/readers, rule 1 (mesh.yaml:15:19); methods\n',
    ],
    [['/x', '--principal', 'cluster.local/ns/default/sa/ratings'], 'default/readers, rule 1 (mesh.yaml:15:19); principals\n'],
    [['/x'], '  no connection: istio-system/default (mesh.yaml:5:19) takes mutual TLS alone\n'],
    [['/x', '--port', '8080'], '  403, what lets callers in does not take it: default/readers, rule 1 (mesh.yaml:15:19); principals\n'],
    [['http://reviews:8080/x'], '  403, what lets callers in'],
    [['/admin/a', '--principal', PAGE], '  let in\n'],
    [
      ['/admin/a', '--principal', PAGE, '-H', 'x-test: 1'],
      '  403, a rule forbids it: default/nobody-here, rule 1 (mesh.yaml:24:19); paths',
    ],
    [['/asked', '--principal', PAGE], '  let in\n  before that opa is asked, who may refuse\n'],
    [['/x', '-c', 'open.yaml'], 'GET /x by somebody without a certificate\n  let in\n'],
    [['/x', '-c', 'strict.yaml'], '  no connection: inbound.mtls takes mutual TLS alone\n'],
    // As the bytes would come: nothing is tidied up before the rules see it.
    ...['/x/../admin', '/%61dmin', '//admin', '/ADMIN', '/admin;v=1', 'http://reviews/x/%2e%2e/admin?q', 'http://reviews/./admin#f'].map(
      (place): [string[], string] => [
        [place, '-c', 'admin.yaml'],
        `GET ${place.replace(/^http:..reviews|#f$/g, '')} by somebody without a certificate\n  403, a rule forbids it: default/inbound.deny, rule 1`,
      ],
    ),
    [['/a%00', '-c', 'admin.yaml'], '  400, nobody can say which path is meant; path\n'],
    [['http://u@h/x', '-c', 'admin.yaml'], '  400, nobody can say which host is meant; authority\n'],
    [['http://reviews', '-c', 'admin.yaml'], 'GET / by somebody without a certificate\n  let in\n'],
  ])('%j', async (args, lines) => {
    const { code, out } = await folder.run(['explain', '--inbound', ...args]);
    expect([code, out]).toEqual([0, expect.stringContaining(lines)]);
  });

  it('for programs', async () => {
    expect((await explained('POST', '/x', '--principal', PAGE)).decision).toMatchObject({
      connection: 'accepted',
      allowed: false,
      status: 403,
      reason: 'no-allow',
      condition: 'methods',
      by: { name: 'readers', namespace: 'default' },
      rule: 1,
      asks: null,
    });
    expect((await explained('/x')).decision).toMatchObject({ connection: 'refused', by: { name: 'default' } });
  });

  it.each([
    [['http://reviews/', '--principal', PAGE], '--principal is about callers; add --inbound'],
    [['--inbound', '/x', '--port', '0'], '--port takes a port, not 0'],
    [['--inbound', 'GET', '/x', '/y'], 'give a path or a URL, or a method before it'],
    [['--inbound', 'GET', 'x'], 'give a path or a URL, or a method before it'],
    [['--inbound', 'GET', 'http://'], 'give a path or a URL, or a method before it'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await folder.run(['explain', ...args]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
