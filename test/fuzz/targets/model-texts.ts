// Texts of configs: durations, times, addresses, variables, and whole files.
import { isIPv4, isIPv6 } from 'node:net';
import { isHostName, isIpv6, parseHostPort } from '../../../src/model/address.ts';
import { DURATION_MS_MAX, formatDuration, parseDuration } from '../../../src/model/duration.ts';
import { parseInstant } from '../../../src/model/instant.ts';
import { hasPlaceholder, interpolate, plainValue } from '../../../src/yaml/interpolate.ts';
import { type FuzzTarget, hold } from '../target.ts';

export const durationTarget: FuzzTarget = {
  name: 'duration',
  what: 'a duration is refused or a number of ms, and what is written of it means the same',
  seeds: ['500ms', '1m30s', '1.5s', '.5h', '1us', '0s', '365d', '1h1h', '0.000001ns'],
  words: ['ns', 'us', '\u00b5s', 'ms', 's', 'm', 'h', '.', '60', '59.9999999999'],
  start: () =>
    Promise.resolve((input) => {
      const ms = parseDuration(input);
      if (ms === null) return;
      hold(ms >= 0 && ms <= DURATION_MS_MAX, `is ${ms} ms`);
      const written = formatDuration(ms);
      const again = parseDuration(written);
      // To the nanosecond; for months, to what a number can hold.
      hold(
        again !== null && Math.abs(again - ms) <= Math.max(1e-6, ms * 1e-12),
        `${ms} ms is written ${written}, which is ${String(again)}`,
      );
    }),
};

export const instantTarget: FuzzTarget = {
  name: 'instant',
  what: 'a point in time is the one that Date knows, or refused',
  seeds: [
    '2026-01-31T23:59:59Z',
    '2024-02-29T00:00:00.123456789+05:30',
    '2023-02-29t00:00z',
    '0000-01-01T00:00Z',
    '9999-12-31T23:59:59-23:59',
  ],
  words: ['T', 'Z', '+00:00', '-01:30', ':60', '.999', '02-29', '24:00'],
  start: () =>
    Promise.resolve((input) => {
      const ms = parseInstant(input);
      if (ms === null) return;
      const expected = Date.parse(
        input
          .toUpperCase()
          .replace(' ', 'T')
          .replace(/(\.\d{3})\d+/, '$1'),
      );
      hold(ms === expected, `is ${ms}, by Date ${expected}`);
    }),
};

export const addressTarget: FuzzTarget = {
  name: 'address',
  what: 'addresses are those that Node takes, and one that was read is read the same again',
  seeds: [
    '127.0.0.1:80',
    '[::1]:443',
    'example.org:8080',
    '[1:2:3:4:5:6:7::]:1',
    '[::ffff:1.2.3.4]:9',
    'a_b.c-d:65535',
    '[1::2::3]:1',
    '01.2.3.4:5',
  ],
  words: ['::', '1.2.3.4', ':0', '[', ']', 'ffff:', '%eth0', '65536', '256', '.'],
  start: () =>
    Promise.resolve((input) => {
      hold(isIpv6(input) === (isIPv6(input) && !input.includes('%')), `Node says ${isIPv6(input)}, we ${isIpv6(input)}`);
      if (/^[0-9.]+$/.test(input)) hold(isHostName(input) === isIPv4(input), `Node says ${isIPv4(input)}, we ${isHostName(input)}`);
      const parsed = parseHostPort(input);
      if (parsed === null) return;
      const { host, port } = parsed;
      hold(port >= 1 && port <= 65_535, `port ${port}`);
      const again = parseHostPort(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
      hold(again?.host === host && again.port === port, `${host} and ${port} are read as ${JSON.stringify(again)}`);
      hold(
        URL.canParse(`http://${host.includes(':') ? `[${host}]` : host}/`) ||
          host.startsWith('xn--') ||
          host.includes('.xn--') ||
          isNumberLike(host),
        'no URL can name it',
      );
    }),
};

/** A last label of digits makes the URL parser read an address of numbers. */
function isNumberLike(host: string): boolean {
  return /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(host);
}

export const variablesTarget: FuzzTarget = {
  name: 'variables',
  what: 'a text with variables gives a text or a fault; without any it stays as it is',
  seeds: ['${A}', 'x${B:-y}z', '$$', '${', '${A:-}', '${__proto__}', '${constructor:-1}', '$A'],
  words: ['${', '}', ':-', '$$', '${A}', '__proto__', 'toString'],
  start: () =>
    Promise.resolve((input) => {
      const result = interpolate(input, { A: 'one', EMPTY: '' });
      if (!hasPlaceholder(input)) hold('text' in result && result.text === input, 'it is changed');
      if ('text' in result) hold(!/\[object|native code/.test(result.text) || /\[object|native code/.test(input), `gives ${result.text}`);
      else hold(result.fault.length > 10, `the fault says ${result.fault}`);
      plainValue(input);
    }),
};
