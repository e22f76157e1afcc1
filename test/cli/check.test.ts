import { afterAll, describe, expect, it } from 'vitest';
import { cliFolder } from './run-cli.ts';

const folder = cliFolder({
  'mesh.yaml': `services:
  reviews:
    endpoints:
      - { address: 127.0.0.1:9001, labels: { version: v1 } }
      - { address: 127.0.0.1:9002, labels: { version: v2 } }
    subsets: { v1: { version: v1 } }
    routes:
      - { match: { path: { regex: '/a+' } }, to: v1 }
  ratings: { endpointsFile: ratings.yaml }
  details: { dns: details.internal:80 }
`,
  'ratings.yaml': '- 127.0.0.1:9003\n',
  'warned.yaml': 'services:\n  a:\n    dns: a:80\n    timeout: 1s\n    retries: { perTryTimeout: 2s }\n',
  'bad.yaml': 'services:\n  a:\n    dns: a:80\n    timout: 1s\n',
  'files.yaml':
    'identity: { cert: nope.crt, key: bad.key, ca: bad.key }\nservices:\n  a: { endpointsFile: empty.yaml }\n  b: { endpointsFile: nope.yaml }\n',
  'bad.key': 'canary',
  'empty.yaml': '',
  'folder/a.yaml': "services: { a: { dns: 'a:80' } }",
  'folder/b.yaml': "services: { b: { dns: 'b:80', routes: [ { match: { path: /x }, to: a } ] } }",
});
afterAll(() => folder.remove());

describe('inmesh check', () => {
  it('says what it found', async () => {
    const { code, out, err } = await folder.run(['check']);
    expect(out.replace(/hash [0-9a-f]{12}/, 'hash #')).toBe(`configuration
-------------
√ mesh.yaml read: 1 file, hash #

services
--------
√ reviews: 2 endpoints, 1 subset, 2 routes
√ ratings: endpoints from ratings.yaml, 1 route
√ details: dns details.internal:80, 1 route

routing
-------
√ every destination has a share
√ every route can be reached
√ every wildcard host has somebody who answers
√ every destination has endpoints
√ every destination of a rule is known

resilience
----------
√ retries replay no call that changes something
√ every retry is paid from a budget
√ retries do not multiply along a chain of calls
√ every attempt ends before its call does
√ outlier detection, where it is on, can eject somebody
√ every call has a timeout
√ only calls that change nothing are hedged
√ no hash sends everything to one endpoint

security
--------
√ with a certificate, nothing is called in plain text
√ mutual TLS, where it is on, has the identity that it needs
√ every peer of TLS is verified
√ every peer of TLS must show its own name

endpoint files
--------------
√ ratings.yaml: 1 endpoint of service "ratings"

Status: √ 3 services, 4 routes, 3 endpoints
`);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('takes INMESH_CONFIG, unless a path is given', async () => {
    expect((await folder.run(['check'], { INMESH_CONFIG: 'bad.yaml' })).code).toBe(1);
    expect((await folder.run(['check', 'mesh.yaml'], { INMESH_CONFIG: 'bad.yaml' })).code).toBe(0);
    expect((await folder.run(['check'], { INMESH_CONFIG: 'folder/a.yaml, folder/b.yaml' })).code).toBe(0);
  });

  it('reads folders', async () => {
    const { code, out } = await folder.run(['check', 'folder']);
    expect(code).toBe(0);
    expect(out).toMatch(/√ folder read: 2 files/);
    expect(out).toMatch(/Status: √ 2 services, 3 routes, 0 endpoints/);
  });

  it('says what is wrong, where, and what to do', async () => {
    expect(await folder.run(['check', 'bad.yaml'])).toEqual({
      code: 1,
      err: '',
      out: `configuration
-------------
× bad.yaml:4:5 unknown key "timout" in services.a
    3 |     dns: a:80
    4 |     timout: 1s
      |     ^
    fix: did you mean "timeout"?

Status: × 1 error
`,
    });
  });

  it('lets warnings pass', async () => {
    const { code, out } = await folder.run(['check', 'warned.yaml']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /‼ warned\.yaml:5:31 perTryTimeout is longer[^]*fix: lower it or raise timeout[^]*Status: ‼ 1 service, 1 route, 0 endpoints; 1 warning\n$/,
    );
  });

  it('looks into the files that are named, and prints none of their secrets', async () => {
    const { code, out } = await folder.run(['check', 'files.yaml']);
    expect(code).toBe(1);
    expect(out.split('\n').filter((line) => line.startsWith('×'))).toEqual([
      '× empty.yaml:1:1 the file is empty; it must be a list of endpoints',
      '× nope.yaml of service "b" cannot be read',
      '× nope.crt: cannot be read',
      '× bad.key: is not a PEM certificate',
      '× bad.key: is not a private key that can be used',
    ]);
    expect(out).not.toContain('canary');
  });

  it('prints JSON', async () => {
    const good = await folder.run(['check', '--json']);
    expect(JSON.parse(good.out)).toMatchObject({
      ok: true,
      paths: ['mesh.yaml'],
      summary: { services: 3, routes: 4, endpoints: 3, errors: 0, warnings: 0 },
      services: [
        {
          name: 'reviews',
          hosts: ['reviews'],
          endpoints: ['127.0.0.1:9001', '127.0.0.1:9002'],
          routes: ['route-1', 'default'],
          subsets: ['v1'],
        },
        {},
        {},
      ],
    });
    const bad = await folder.run(['check', '--json', 'bad.yaml', 'nope.yaml']);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({
      ok: false,
      hash: null,
      findings: [{ status: 'error', message: 'cannot read nope.yaml: there is no such file' }],
    });
  });

  it('uses colours only when wanted', async () => {
    const escape = '\u001b[';
    expect((await folder.run(['check'])).out).not.toContain(escape);
    expect((await folder.runProcess(['check'], { FORCE_COLOR: '1' })).out).toContain(escape);
    expect((await folder.runProcess(['check'], { NO_COLOR: '1' })).out).not.toContain(escape);
  });
});
