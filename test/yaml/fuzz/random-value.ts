// Draws for the fuzzer: words that readers stumble over, and values of a schema, right ones mostly.
import type { Random } from '../../../src/core/clock.ts';
import { Report } from '../../../src/model/report.ts';
import { checkSchema } from '../../../src/model/schema-check.ts';
import type { Schema } from '../../../src/model/schema-scalar.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export function isMapping(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Names that the documents of one text may share, so that they find each other. */
const NAMES = ['reviews', 'ratings', 'v1', 'v2', 'default', 'other', 'http', 'istio-system', 'productpage', 'mesh'];
const HOSTS = [
  'reviews',
  'reviews.default',
  'reviews.default.svc.cluster.local',
  'ratings',
  'ratings.other',
  'other.example.com',
  '*.example.com',
  '*',
  '*.com',
  'reviews.',
  '10.0.0.1',
  '[::1]',
  '*reviews',
  'reviews:80',
  '*.',
  '.com',
  'a..b',
  '-a',
  'REVIEWS',
  'x'.repeat(300),
];
const WORDS = [
  'GET',
  'get',
  'POST',
  '*',
  'x-user',
  'X-User',
  ':authority',
  ':path',
  'host',
  'cookie',
  'yes',
  '5xx,reset',
  '503',
  '5xx, reset',
  'gateway-error',
  'HTTP',
  'HTTPS',
  'TCP',
  'kubernetes.io/h2c',
  'r/z/s',
  'r/*',
  '*/*',
  './*',
  '~/*',
  '90m',
  '1.5',
  '50%',
  '200',
  '500-504',
  '500..504',
  '-1',
  '1s',
  '0s',
  '100ms',
  '1.5s',
  '1h30m',
  '-1s',
  '99999999h',
  '1ns',
  '1',
  '10.0.0.0/8',
  '10.0.0.1/33',
  '::/0',
  'fe80::1%eth0',
  '2000-01-01T00:00:00Z',
  '/',
  '/a',
  '/a/',
  '/a?b',
  '/a#b',
  '/{*}',
  '/{**}/a',
  '/a{*',
  '/*',
  '*/a',
  'a/b/c',
  'https://a',
  'spiffe://a/ns/b/sa/c',
  'cluster.local/ns/default/sa/a',
  '.*',
  '.*a.*',
  '(',
  '[',
  '\\',
  '(a*)*b',
  '(?i)a',
  'a{1001}',
  '\\1',
  '(?=a)',
  '^$',
  '(.*?;)?(user=jason)(;.*)?',
  '%REQ(x)%',
  '%',
  '%%',
  '%FOO',
  '\\9',
  'request.headers[x]',
  'request.headers[]',
  'source.ip',
  'request.auth.claims[a][b]',
  'destination.port',
  'no.such.key',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'true',
  '~',
  '\0',
  '‮',
  '😀',
  '\ud800',
  'é',
  '${NOT_SET}',
  '${NOT_SET:-x}',
  '${',
  '$$',
  '-----BEGIN ',
  'a: b',
  '- a',
  '# a',
  '\n',
  ' a',
  'a ',
  '	',
  "'",
  '"',
  '{',
  '&a',
  '*a',
  '!!str',
  '<<',
  '---',
  '%YAML 1.1',
  '|',
  '>',
  '@',
  '`',
];
const LONG = [
  'a'.repeat(1_025),
  'a.'.repeat(200),
  '/'.repeat(500),
  '(a|'.repeat(200),
  '((((((((((a*)*)*)*)*)*)*)*)*)*)*'.repeat(5),
  '*'.repeat(5_000),
];
const NUMBERS = [
  0,
  1,
  2,
  3,
  80,
  443,
  100,
  200,
  404,
  503,
  599,
  600,
  65_535,
  65_536,
  -1,
  0.5,
  1e-9,
  1e9,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e21,
  1e308,
  -1e308,
  -0,
];

export function oddText(draw: Draw): string {
  const turn = draw.below(20);
  if (turn === 0) return '';
  if (turn === 1) return draw.of(LONG);
  if (turn < 6) return draw.of(HOSTS);
  return draw.of(turn < 10 ? NAMES : WORDS);
}

/** Of any type; small. */
export function oddValue(draw: Draw): Json {
  switch (draw.below(9)) {
    case 0:
      return null;
    case 1:
      return draw.chance(0.5);
    case 2:
      return [];
    case 3:
      return {};
    case 4:
      return [oddValue(draw)];
    case 5:
      return { [oddText(draw)]: oddText(draw) };
    case 6:
      return draw.of(NUMBERS);
    default:
      return oddText(draw);
  }
}

/** What is read of a schema; see model/schema-check.ts. */
interface Node {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly value?: Node;
  readonly item?: Node;
  readonly wrapped?: Node;
  readonly options?: readonly unknown[];
}

const DEPTH_MAX = 9;

/** Mostly what the schema takes. */
export function valueOf(schema: Schema, draw: Draw, depth = 0): Json {
  const node = schema as unknown as Node;
  const inner = (one: Node | undefined): Json => valueOf(one as unknown as Schema, draw, depth + 1);
  if (draw.chance(0.005)) return oddValue(draw);
  switch (node.type) {
    case 'optional':
      return inner(node.wrapped);
    case 'strict_object': {
      const entries = Object.entries(node.entries ?? {});
      // The deeper, the less: documents that nobody could read find nothing.
      const share = depth <= 1 ? 0.8 : Math.min(0.5, 4 / entries.length);
      const kept = entries.filter(([, one]) => one.type !== 'optional' || (depth < DEPTH_MAX && draw.chance(share)));
      return Object.fromEntries(kept.map(([key, one]) => [key, inner(one)]));
    }
    case 'record':
      return Object.fromEntries(
        Array.from({ length: draw.below(3) }, () => [draw.chance(0.9) ? draw.of(NAMES) : oddText(draw), inner(node.value)]),
      );
    case 'array':
      return Array.from({ length: draw.of([0, 1, 1, 1, 2, 3]) }, () => inner(node.item));
    case 'union':
      return inner(draw.of(node.options as readonly Node[]));
    case 'picklist':
    case 'literal':
      return leaf(schema, () => draw.of((node.options ?? [false, true]) as readonly Json[]));
    case 'boolean':
      return draw.chance(0.5);
    case 'number':
      return leaf(schema, () => draw.of(NUMBERS));
    case 'string':
      return leaf(schema, () => oddText(draw));
    default:
      return oddValue(draw);
  }
}

function leaf(schema: Schema, next: () => Json): Json {
  for (let i = 0; i < 8; i++) {
    const value = next();
    const report = new Report({});
    checkSchema(schema, value, [], report);
    if (!report.hasErrors) return value;
  }
  return next();
}
