// Whole files: YAML to a resolved configuration. What hangs together by its schemas is tried by test/yaml/fuzz; this goes for
// the text.
import type { MeshInput } from '../../../src/model/input.ts';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { documentParser } from '../../../src/yaml/document.ts';
import { positionAt, sourceText } from '../../../src/yaml/frame.ts';
import { toValue } from '../../../src/yaml/value.ts';
import { type FuzzTarget, hold } from '../target.ts';

const NAMES = 'services: endpoints: routes: match: retries: attempts: timeout: defaults: inbound: identity: self: null'.split(' ');
const MARKS = [
  '- ',
  ': ',
  '\n',
  '\n  ',
  '\n---\n',
  '&a ',
  '*a',
  '<<: ',
  '!!',
  '|\n',
  '>-\n',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '# ',
  '? ',
  '~',
];

export const configTarget: FuzzTarget = {
  name: 'config',
  what: 'a file is read, or refused with a place in it; never an exception',
  seeds: [
    'services:\n  a:\n    endpoints: [127.0.0.1:80]\n',
    'services: { a: { endpoints: [ { address: "h:1", labels: { v: "1" } } ], timeout: 2s, retries: { attempts: 2 } } }\n',
    'self: { service: p }\nservices:\n  r:\n    endpoints: []\n    routes:\n      - { match: { path: { prefix: /a } }, to: { v1: 1 } }\n',
    'a: &x [1]\nb: *x\n---\nc: |\n  text\n',
    'a: !!binary x\n? b\n: c\n# end',
    '{"services":{"__proto__":{}}}',
    'inbound:\n  mtls: strict\n',
  ],
  words: [...NAMES, ...MARKS],
  lengthMax: 400,
  start: async () => {
    const parse = await documentParser();
    return (input) => {
      const source = sourceText('mesh.yaml', input);
      const { documents, issues } = parse(source);
      for (const { offset, message } of issues) {
        hold(offset >= 0 && offset <= input.length, `a fault at ${offset}: ${message}`);
        const { line, column } = positionAt(source, offset);
        hold(line >= 1 && column >= 1, `a fault in line ${line}, column ${column}`);
        hold(message !== '', 'a fault without a message');
      }
      for (const root of documents) {
        const value = toValue(root, {}, () => {});
        const result = resolveConfig(value as MeshInput, { numericDurations: false });
        const found = 'issues' in result ? result.issues : result.warnings;
        if ('issues' in result)
          hold(
            found.some(({ severity }) => severity === 'error'),
            'refused without a fault',
          );
        for (const { message } of found) hold(!/\[object \w+\]/.test(message), `says ${message}`);
      }
      hold(
        ({} as { polluted?: unknown }).polluted === undefined && Object.keys(Object.prototype).length === 0,
        'every object has got a key',
      );
    };
  },
};
