import { describe, expect, it } from 'vitest';
import { endpointsFileParser, parseEndpointsFile } from '../../src/yaml/endpoints-file.ts';

describe('parseEndpointsFile', () => {
  it.each([
    ['YAML', '- 10.0.0.1:80\n- { address: X:81, labels: { v: "1" }, locality: r/z, weight: 2 }\n'],
    ['JSON', '["10.0.0.1:80", { "address": "x:81", "labels": { "v": "1" }, "locality": "r/z", "weight": 2 }]'],
  ])('reads %s', async (_name, text) => {
    expect(await parseEndpointsFile(text, 'e')).toEqual({
      endpoints: [
        { address: '10.0.0.1:80', labels: {}, locality: '', weight: 1 },
        { address: 'x:81', labels: { v: '1' }, locality: 'r/z', weight: 2 },
      ],
    });
  });

  it.each([
    ['', '1:1 the file is empty; it must be a list of endpoints'],
    ['[]', '1:1 the configuration must be a list with at least one entry, not an empty list'],
    ['endpoints: []', '1:1 the configuration must be a list, not a mapping'],
    ['- x', '1:3 [0] must be an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080, not "x"'],
    ['- ${HOST}:80', '1:3 [0] must be an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080, not "${HOST}:80"'],
    ['- x:1\n- x:1', '2:3 the endpoint "x:1" stands twice, first at e:1:3; use weight for a larger share'],
    ['- x:1\n---\n- x:2', '3:1 more than one document; the file must be one list of endpoints'],
    ['- {', '1:4 Flow map in block collection must be sufficiently indented and end with a }'],
    ['- { address: "x:1", zone: a }', '1:21 unknown key "zone" in [0]'],
  ])('%j: %s', async (text, expected) => {
    const result = await parseEndpointsFile(text, 'e');
    const [issue] = 'issues' in result ? result.issues : [];
    expect(`${issue?.position?.line}:${issue?.position?.column} ${issue?.message}`).toBe(expected);
    expect(issue?.frame).toBeDefined();
  });

  it('throws all faults for a watcher', async () => {
    const parse = await endpointsFileParser();
    expect(parse('- x:1', 'e')).toHaveLength(1);
    expect(() => parse('- x\n- y', 'e.yaml')).toThrow(/^e\.yaml:1:3 error {2}\[0\] must be[^]*e\.yaml:2:3 error/);
  });
});
