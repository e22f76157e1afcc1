// The words of the schema: each says in its message what must stand there, as the end of "must be …".
import { isHostName, isIpv6, parseHostPort } from './address.ts';
import { BYTES_PATTERN, parseBytes } from './bytes.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';
import { INSTANT_PATTERN, parseInstant } from './instant.ts';
import * as v from './schema-node.ts';
import type { Schema } from './schema-node.ts';
import { parseStatusRange, STATUS_RANGE_PATTERN } from './status-range.ts';

export type { Schema } from './schema-node.ts';

/** Length of a pattern, so that none takes long to compile. Source: ISTIO-SECURITY-2026-006 */
const PATTERN_LENGTH_MAX = 1_024;

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5: no CR, LF, NUL or other control characters. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Says what a field is for; `more` goes into the JSON Schema as it is. */
export function described(schema: Schema, description: string, more: Readonly<Record<string, unknown>> = {}): Schema {
  return v.pipe(schema, v.metadata({ description, ...more }));
}

/** A key that may be left out, with what then holds. */
export function field(schema: Schema, description: string, defaultValue?: unknown): Schema {
  return v.optional(described(schema, description, defaultValue === undefined ? {} : { default: defaultValue }));
}

export function object(entries: Record<string, Schema>): Schema {
  return v.strictObject(entries);
}

export function text(what = 'a text'): Schema {
  return v.pipe(v.string(what), v.nonEmpty(what));
}

/** May be empty. */
export const anyText: Schema = v.string('a text');

export const target: Schema = text('a subset, a service, or service/subset');

export const callback: Schema = v.callback('a function');

export function list(item: Schema): Schema {
  return v.pipe(v.array(item), v.minLength(1, 'a list with at least one entry'));
}

export function listOrNothing(item: Schema): Schema {
  return v.array(item);
}

const NAMES_MAX = 10_000;

/** A mapping from names that people choose. */
export function names(value: Schema, key: Schema = text('a name'), most: number = NAMES_MAX): Schema {
  return v.pipe(v.record(key, value), v.maxEntries(most, `a mapping of at most ${most} entries`));
}

export const labels: Schema = names(v.string('a text, in quotes when it looks like a number'));

/** Whatever stands there. */
export const anything: Schema = v.unknown();

export const boolean: Schema = v.boolean('true or false');

export function oneOf(...words: readonly string[]): Schema {
  return v.picklist(words, `one of ${words.join(', ')}`);
}

export function anyOf(...schemas: readonly Schema[]): Schema {
  return v.union(schemas);
}

/** A picklist cannot be told from one of words, so this is a number with a check. */
export function numberOf(...numbers: readonly number[]): Schema {
  const what = `one of ${numbers.join(', ')}`;
  return v.pipe(v.number(what), v.values(numbers, what));
}

export const no: Schema = v.literal(false, 'false');
export const yes: Schema = v.literal(true, 'true');

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Schema {
  const what = max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  return v.pipe(v.number(what), v.integer(what), v.minValue(min, what), v.maxValue(max, what));
}

export function number(min: number, max: number = Number.MAX_SAFE_INTEGER): Schema {
  const what = max === Number.MAX_SAFE_INTEGER ? `a number from ${min}` : `a number from ${min} to ${max}`;
  return v.pipe(v.number(what), v.minValue(min, what), v.maxValue(max, what));
}

/** Above 0. */
export function positive(max: number = Number.MAX_SAFE_INTEGER): Schema {
  const what = max === Number.MAX_SAFE_INTEGER ? 'a number above 0' : `a number above 0, at most ${max}`;
  return v.pipe(v.number(what), v.gtValue(0, what), v.maxValue(max, what));
}

/** 200 to 599. */
export const answerStatus: Schema = integer(200, 599);

const STATUS = 'a status from 400 to 599';
export const statusWord: Schema = v.pipe(v.string(STATUS), v.regex(/^[45][0-9]{2}$/, STATUS));
export const status: Schema = v.pipe(v.number(STATUS), v.integer(STATUS), v.minValue(400, STATUS), v.maxValue(599, STATUS));

/** A duration; in code also a number of ms. */
export function duration(numbers: boolean, zero: boolean): Schema {
  const what = `a duration${zero ? '' : ' above 0'}, such as 500ms or 1m30s${numbers ? ', or a number of ms' : ''}`;
  const words = v.pipe(
    v.string(what),
    v.regex(DURATION_PATTERN, what),
    v.check((value) => parseDuration(value) !== null, 'a duration of at most a year'),
    v.check((value) => zero || parseDuration(value) !== 0, what),
  );
  if (!numbers) return words;
  const most = formatDuration(365 * 86_400_000);
  const ms = v.pipe(
    v.number(what),
    zero ? v.minValue(0, what) : v.gtValue(0, what),
    v.maxValue(365 * 86_400_000, `a number of ms up to ${most}`),
  );
  return v.union([words, ms]);
}

/** A size; `most` as people write it, with the reason if there is one. */
export function bytes(most: string, why = ''): Schema {
  const what = 'a size such as 64KiB';
  const max = parseBytes(most) as number;
  const atMost = `at most ${most}${why}`;
  return v.union([
    v.pipe(
      v.string(what),
      v.regex(BYTES_PATTERN, what),
      v.check((value) => (parseBytes(value) ?? 0) <= max, atMost),
    ),
    v.pipe(v.number(what), v.integer('a whole number of bytes'), v.minValue(0, 'a number of bytes from 0'), v.maxValue(max, atMost)),
  ]);
}

export const bodyLimit: Schema = bytes('1MiB', ', because bodies are kept in memory for replay');

/** A point in time; in code also a number of ms since 1970. */
export function instant(numbers: boolean): Schema {
  const what = `a point in time with its offset, such as 2026-12-01T00:00:00Z${numbers ? ', or a number of ms since 1970' : ''}`;
  const words = v.pipe(
    v.string(what),
    v.regex(INSTANT_PATTERN, what),
    v.check((value) => parseInstant(value) !== null, 'a point in time that there is, such as 2026-12-01T00:00:00Z'),
  );
  return numbers ? v.union([words, v.pipe(v.number(what), v.finite(what))]) : words;
}

/** A status, or a range such as 500-599; none below `min`. */
export function statusRange(min: number): Schema {
  const what = `a status from ${min} to 599, or a range such as 500-599`;
  return v.union([
    v.pipe(
      v.string(what),
      v.regex(STATUS_RANGE_PATTERN, what),
      v.check((value) => (parseStatusRange(value)?.[0] ?? 0) >= min, what),
    ),
    v.pipe(v.number(what), v.integer(what), v.minValue(min, what), v.maxValue(599, what)),
  ]);
}

/** 0 to 100. */
export const percent: Schema = number(0, 100);

/** Above 0, below 1. */
export const factor: Schema = v.pipe(
  v.number('a number between 0 and 1'),
  v.gtValue(0, 'a number between 0 and 1'),
  v.ltValue(1, 'a number between 0 and 1'),
);

export const port: Schema = integer(1, 65_535);

/** On, off, or on with details. */
export function toggle(whole: Schema): Schema {
  return v.union([boolean, whole]);
}

const ADDRESS = 'an address such as 10.0.0.1:8080, [::1]:8080 or reviews.internal:8080';
export const address: Schema = v.pipe(
  v.string(ADDRESS),
  v.check((value) => parseHostPort(value) !== null, ADDRESS),
);

const HOST = 'a host name without scheme, port or wildcard';
export const hostName: Schema = v.pipe(
  v.string(HOST),
  v.check((value) => isHostName(value.replace(/\.$/, '')) || (/^\[.*\]$/.test(value) && isIpv6(value.slice(1, -1))), HOST),
);

const PATH = 'a path that begins with "/", without query';
export const path: Schema = v.pipe(v.string(PATH), v.regex(/^\/[^?#\s]*$/, PATH));

const PROBE_PATH = 'a path that begins with "/"';
/** May have a query. */
export const probePath: Schema = v.pipe(v.string(PROBE_PATH), v.regex(/^\/[^#\s]*$/, PROBE_PATH));

const AUTHORITY = 'a host name, with :port if it has one';
/** What a Host header may be. */
export const authority: Schema = v.pipe(
  v.string(AUTHORITY),
  v.check(
    (value) => isHostName(value) || parseHostPort(value) !== null || (/^\[.*\]$/.test(value) && isIpv6(value.slice(1, -1))),
    AUTHORITY,
  ),
);

const LOCALITY = 'a locality such as region, region/zone or region/zone/subzone, with * for the rest';
export const localityPattern: Schema = v.pipe(
  v.string(LOCALITY),
  v.regex(/^(?:\*|[^/*\s]+(?:\/\*|\/[^/*\s]+(?:\/\*|\/[^/*\s]+)?)?)$/, LOCALITY),
);

const REGION = 'a region, without zone';
export const region: Schema = v.pipe(v.string(REGION), v.regex(/^[^/*\s]+$/, REGION));

const SUFFIX = 'letters, digits, "." and "-"';
/** What is added to a host name. */
export const hostSuffix: Schema = v.pipe(v.string(SUFFIX), v.regex(/^[A-Za-z0-9.-]*$/, SUFFIX), v.maxLength(63, SUFFIX));

const NAME = 'a name of letters, digits, ".", "_" and "-", at most 253 characters';
/** Names of services, subsets and routes; "/" would be mistaken for service/subset. */
export const plainName: Schema = v.pipe(
  v.string(NAME),
  v.regex(/^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/, NAME),
  v.maxLength(253, NAME),
);

export const token: Schema = v.pipe(v.string('a header name'), v.regex(TOKEN, 'a header name: letters, digits, "-" and "_"'));

export const method: Schema = v.pipe(
  v.string('an HTTP method such as GET'),
  v.regex(/^[!#$%&'*+.^_`|~0-9A-Z-]+$/, 'an HTTP method in upper case, such as GET'),
);

export const fieldValue: Schema = v.pipe(
  v.string('a text, in quotes when it looks like a number'),
  v.regex(FIELD_VALUE, 'a header value without CR, LF, NUL or other control characters'),
);

export const pattern: Schema = v.pipe(
  v.string('a regular expression'),
  v.nonEmpty('a regular expression'),
  v.maxLength(PATTERN_LENGTH_MAX, `a regular expression of at most ${PATTERN_LENGTH_MAX} characters`),
);
