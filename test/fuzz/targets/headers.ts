// Values of headers that come from the network.
import { retryAfterMs } from '../../../src/core/classify.ts';
import { remainingMs } from '../../../src/inbound/inbound-call.ts';
import { directivesOf, secondsOf, writeDirectives } from '../../../src/resilience/cache-control.ts';
import { compileHeaderText } from '../../../src/route/header-text.ts';
import { hashOf } from '../../../src/route/sticky-draw.ts';
import { NO_KEY, stickyKey } from '../../../src/route/sticky-key.ts';
import { testCall } from '../../support/fake-service.ts';
import { type FuzzTarget, hold, partsOf } from '../target.ts';

const NOW_MS = Date.UTC(2026, 0, 1);

export const retryAfterTarget: FuzzTarget = {
  name: 'retry-after',
  what: 'Retry-After is a whole number of seconds or a date of HTTP, and nothing else asks us to wait',
  seeds: [
    '5',
    '0',
    ' 120 ',
    'Thu, 01 Jan 2026 00:00:10 GMT',
    'Thursday, 01-Jan-26 00:00:10 GMT',
    'Thu Jan  1 00:00:10 2026',
    '1e3',
    '-1',
    '2030',
  ],
  words: ['GMT', 'Jan', 'Dec', 'Thu', ', ', '2030', '-', '+0100', 'T', 'Z', '.5'],
  start: () =>
    Promise.resolve((input) => {
      const waitMs = retryAfterMs(input, NOW_MS);
      hold(Number.isFinite(waitMs) && waitMs >= 0, `waits ${waitMs} ms`);
      const text = input.trim();
      if (/^\d{1,9}$/.test(text)) hold(waitMs === Number(text) * 1_000, `waits ${waitMs} ms`);
      else if (waitMs > 0) hold(/^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/.test(text), `waits ${waitMs} ms for what is no date of HTTP`);
    }),
};

export const deadlineTarget: FuzzTarget = {
  name: 'deadline',
  what: 'the time that a caller says it still waits is a finite number of ms, or it says nothing',
  seeds: ['500', '0', '1.5', '-1', '1e9', '99999999999999999999', ' 5'],
  words: ['Infinity', 'NaN', '0x10', '1_000'],
  start: () =>
    Promise.resolve((input) => {
      const ms = remainingMs(input);
      hold(ms >= 0, `still waits ${ms} ms`);
      if (ms !== Number.POSITIVE_INFINITY) hold(/^[0-9]+(\.[0-9]+)?$/.test(input), `takes ${ms} ms from what is no number`);
    }),
};

export const cacheControlTarget: FuzzTarget = {
  name: 'cache-control',
  what: 'directives that are written again are read as they were',
  seeds: ['max-age=60, no-store', 'private="set-cookie, x", s-maxage="10"', 'a="\\"", b=', ',,;=', 'MAX-AGE=1, max-age=2'],
  words: ['max-age', 's-maxage', 'stale-while-revalidate', 'no-cache', '="', '"', '\\"', ', ', '=', ';'],
  start: () =>
    Promise.resolve((input) => {
      const directives = directivesOf(input);
      const written = writeDirectives(directives, ['no-store']);
      const again = directivesOf(written);
      for (const [name, value] of directives) {
        const seconds = secondsOf(directives, name);
        hold(seconds >= 0, `${name} has ${seconds} seconds`);
        if (name === 'no-store') hold(!again.has(name), 'what was to be left out is there');
        else if (!/["\\]/.test(value))
          hold(again.get(name) === value, `${name} was ${JSON.stringify(value)}, is ${JSON.stringify(again.get(name))}`);
      }
      hold(again.size <= directives.size, `grew: ${written}`);
    }),
};

/** RFC 6265 §5.4, with no thought of speed. */
function cookieOf(text: string, name: string): string | undefined {
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0 || part.slice(0, equals).replace(/^[ \t]+|[ \t]+$/g, '') !== name) continue;
    const value = part.slice(equals + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    if (value !== '') return value;
  }
  return undefined;
}

export const cookieTarget: FuzzTarget = {
  name: 'cookie',
  what: 'the key of a sticky route is the value of its cookie',
  seeds: ['id|id=1', 'id|a=b; id = 2 ;c', 'id|id=; id=3', 'id| id', 'i|id=1;i=2', 'id|id==;'],
  words: ['id', '=', ';', '; ', ' =', '\t'],
  start: () =>
    Promise.resolve((input) => {
      const [name = '', text = ''] = partsOf(input, 2);
      // The name of a cookie is a token.
      if (!/^[A-Za-z0-9_-]+$/.test(name)) return;
      const value = cookieOf(text, name);
      const key = stickyKey({ cookie: name })(['Cookie', text]);
      hold(key === (value === undefined ? NO_KEY : hashOf(value)), `the cookie is ${JSON.stringify(value)}`);
    }),
};

export const headerTextTarget: FuzzTarget = {
  name: 'header-text',
  what: 'a text with operators is put together for every call, and plain text stays as it is',
  seeds: ['%REQ(x-id)%', 'a%%b', '%REQ(x-no?x-id):2%', '%RESP(server)%-%HOSTNAME%', '%NOPE(', '100%'],
  words: ['%REQ(', ')%', '%RESP(', '%%', '%', ':path', ':authority', '?', '):3%', '%UPSTREAM_REMOTE_ADDRESS%'],
  start: () => {
    const call = testCall({ path: '/p', headers: ['X-Id', 'value'] });
    return Promise.resolve((input) => {
      const text = compileHeaderText(input)(call, null);
      hold(typeof text === 'string', `gives ${typeof text}`);
      if (!input.includes('%')) hold(text === input, 'plain text is changed');
    });
  },
};
