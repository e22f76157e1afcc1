// Who may call: paths and names as applications may read them, and the first bytes of a connection.
import { compileAccess } from '../../../src/access/access.ts';
import { globTest, textTest } from '../../../src/access/text.ts';
import { checkAnswer } from '../../../src/access/ext-authz-message.ts';
import { kindOf } from '../../../src/inbound/first-bytes.ts';
import { protobufField } from '../../../src/identity/protobuf.ts';
import { readingsOf, READINGS_MAX } from '../../../src/access/path-readings.ts';
import { allow, deny, request, SELF } from '../../access/cases.ts';
import { type FuzzTarget, hold, partsOf } from '../target.ts';

/** How applications find the path: as it is, without its query, decoded, as the URL standard has it, and both of these. */
function frameworkPaths(target: string): string[] {
  const [bare = ''] = target.split(/[?#]/);
  const paths = [bare, ...decoded(bare)];
  for (const text of [target, bare]) {
    if (!URL.canParse(text, 'http://a')) continue;
    const { pathname } = new URL(text, 'http://a');
    paths.push(pathname, ...decoded(pathname));
  }
  return paths;
}

function decoded(path: string): string[] {
  try {
    return [decodeURIComponent(path)];
  } catch {
    return [];
  }
}

const PATHS = [
  '/admin',
  '/%61dmin',
  '/./admin',
  '//admin',
  '/x/../admin',
  '/admin/',
  '/admin?x',
  '/ADMIN',
  '/admin;v=1',
  '\\admin',
  'http://h/admin',
];

export const pathReadingsTarget: FuzzTarget = {
  name: 'path-readings',
  what: 'whatever path an application may read is among the readings, or the target is refused; a rule against a path forbids all of them',
  seeds: PATHS,
  words: ['/admin', '%2f', '%2e', '%61', '%25', '/..', '/.', '//', ';', '\\', '?', '#', '%5c', 'http://h', '%c3%a9'],
  lengthMax: 80,
  start: () => {
    const denies = compileAccess([deny({ paths: ['/admin'] })], SELF);
    const allows = compileAccess([allow({ paths: ['/admin'] })], SELF);
    return Promise.resolve((input) => {
      const target = input.startsWith('/') ? input : `/${input}`;
      // No parser of HTTP gives others; the rest a URL has in another notation, which no router undoes.
      if (!/^[\x21-\x7e]+$/.test(target) || /["<>^`{|}]/.test(target)) return;
      const bare = target.split('?')[0] as string;
      const readings = readingsOf(bare);
      const meant = frameworkPaths(target);
      if (readings !== null) {
        hold(readings.length <= READINGS_MAX, `${readings.length} readings`);
        const known = readings.map(({ text }) => text);
        const unknown = meant.filter((path) => !known.includes(path));
        hold(unknown.length === 0, `an application may read ${JSON.stringify(unknown)}, we read ${JSON.stringify(known)}`);
      }
      const asked = request({ target });
      if (meant.includes('/admin')) hold(!denies.decide(asked).allowed, 'an application reads /admin, and the rule against it lets it in');
      if (allows.decide(asked).allowed)
        hold(
          meant.every((path) => path.toLowerCase().replace(/\/$/, '') === '/admin'),
          `let in, read as ${JSON.stringify(meant)}`,
        );
    });
  },
};

export const accessTextTarget: FuzzTarget = {
  name: 'access-text',
  what: 'values of rules take what their stars say, and dots are dots',
  seeds: ['a*|ab', '*b|ab', '*|x', 'a*b*c|axbyc', '**|', 'a.b|axb', '*a*a|aa', 'ab*ba|aba'],
  words: ['*', '.', '|', 'ab'],
  lengthMax: 40,
  start: () =>
    Promise.resolve((input) => {
      const [value = '', text = ''] = partsOf(input, 2);
      const pattern = value.split('*').map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      const expected = value === '*' ? text !== '' : new RegExp(`^${pattern.join('.*')}$`, 's').test(text);
      if (globTest(value)(text) !== expected) throw new Error(`globTest says ${!expected}`);
      const stars = value.split('*').length - 1;
      if (stars === 0 || (stars === 1 && /^\*|\*$/.test(value))) hold(textTest(value)(text) === expected, `textTest says ${!expected}`);
    }),
};

export const firstBytesTarget: FuzzTarget = {
  name: 'first-bytes',
  what: 'more bytes never turn what was told by fewer',
  seeds: ['\x16\x03\x01', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'GET / HTTP/1.1\r\n', 'PUT', 'P', 'PRO', ''],
  words: ['PRI', '\x16', 'GET ', 'PR'],
  isBytes: true,
  lengthMax: 40,
  start: () =>
    Promise.resolve((input) => {
      const bytes = Buffer.from(input, 'latin1');
      const whole = kindOf(bytes);
      if (bytes.length >= 3) hold(whole !== null, 'three bytes are not enough');
      for (let length = 0; length < bytes.length; length++) {
        const kind = kindOf(bytes.subarray(0, length));
        hold(kind === null || kind === whole, `${length} bytes are ${String(kind)}, all are ${String(whole)}`);
      }
    }),
};

const option = (name: string, value: string): Buffer =>
  protobufField(2, protobufField(1, Buffer.concat([protobufField(1, name), protobufField(2, value)])));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const DENIED = Buffer.concat([
  protobufField(1, Buffer.from([8, 7])),
  protobufField(2, Buffer.concat([protobufField(1, Buffer.from([8, 0x91, 3])), option('x-why', 'no'), protobufField(3, 'go away')])),
]);
const ALLOWED = protobufField(
  3,
  Buffer.concat([option('x-user', 'alice'), option('host', 'evil'), protobufField(5, 'x-secret'), protobufField(8, 'q')]),
);

export const authorizerTarget: FuzzTarget = {
  name: 'authorizer-answer',
  what: 'the answer of an external authorizer is read or refused; what it adds to a head is fit for one',
  seeds: [text(DENIED), text(ALLOWED), '', '\x08\x01', '\x0a\x02\x08\x07', '\x1a\x00'],
  words: ['\x0a', '\x12', '\x1a', '\x2a', '\x3a', '\x42', '\x08', '\xff\x0f', 'x-a', ':path', 'host', '\r\n', 'cookie', '?'],
  isBytes: true,
  lengthMax: 400,
  start: () =>
    Promise.resolve((input) => {
      let answer: ReturnType<typeof checkAnswer>;
      try {
        answer = checkAnswer(Buffer.from(input, 'latin1'), request({ target: '/a?q=1&r=2' }));
      } catch (error) {
        if (error instanceof Error && error.constructor === Error) return;
        throw error;
      }
      if (answer.kind === 'deny') hold(answer.status >= 100 && answer.status <= 599, `denies by status ${answer.status}`);
      const pairs = answer.kind === 'deny' ? answer.headers : answer.kind === 'allow' ? [...answer.edits.set, ...answer.edits.append] : [];
      for (const [name, value] of pairs) {
        hold(/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name), `a header named ${JSON.stringify(name)}`);
        hold(!/[\0\r\n]/.test(value), `a header with the value ${JSON.stringify(value)}`);
      }
      if (answer.kind === 'allow' && answer.edits.target !== null)
        hold(answer.edits.target.startsWith('/a'), `a target ${answer.edits.target}`);
    }),
};
