import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Parsed,
  parseCount,
  parseGrpcStatuses,
  parseShare,
  parseSpan,
  parseStatuses,
  parseSwitch,
} from '../../../src/yaml/linkerd/annotation-words.ts';

const count = (text: string): Parsed<number> => parseCount(text, 65_535);
const share = (text: string): Parsed<number> => parseShare(text, 1);

describe('words of annotations', () => {
  it.each<[string, string, (text: string) => Parsed<unknown>, unknown]>([
    ['span', '500ms', parseSpan, 500],
    ['span', ' 2s ', parseSpan, 2_000],
    ['span', '3m', parseSpan, 180_000],
    ['span', '1h', parseSpan, 3_600_000],
    ['span', '1d', parseSpan, 86_400_000],
    ['span', '0', parseSpan, 0],
    ['span', '0s', parseSpan, 0],
    ['span', '365d', parseSpan, 31_536_000_000],
    ['statuses', '5xx', parseStatuses, [[500, 599]]],
    ['statuses', 'Gateway-Error', parseStatuses, [[502, 504]]],
    [
      'statuses',
      '429,500-504',
      parseStatuses,
      [
        [429, 429],
        [500, 504],
      ],
    ],
    ['grpc', 'cancelled', parseGrpcStatuses, [1]],
    ['grpc', 'UNAVAILABLE,internal,deadline-exceeded,resource-exhausted', parseGrpcStatuses, [4, 8, 13, 14]],
    ['count', '0', count, 0],
    ['count', ' 65535 ', count, 65_535],
    ['share', '0.8', share, 0.8],
    ['share', '1', share, 1],
    ['share', '.5', share, 0.5],
    ['switch', 'true', parseSwitch, true],
    ['switch', '1', parseSwitch, true],
    ['switch', 'F', parseSwitch, false],
  ])('%s %j', (_, text, parse, value) => {
    expect(parse(text)).toEqual({ value });
  });

  it.each<[string, string, (text: string) => Parsed<unknown>, string]>([
    ['span', '1.5s', parseSpan, 'a whole number'],
    ['span', '5', parseSpan, 'its unit is missing: 5s or 5ms'],
    ['span', '1w', parseSpan, 'none of ms, s, m, h, d'],
    ['span', '1constructor', parseSpan, 'none of ms, s, m, h, d'],
    ['span', '', parseSpan, 'a whole number'],
    ['span', '-1s', parseSpan, 'a whole number'],
    ['span', '366d', parseSpan, 'longer than a year'],
    ['span', '1 s', parseSpan, 'a whole number'],
    ['statuses', '', parseStatuses, '"" is no status'],
    ['statuses', '600', parseStatuses, '"600" is no status'],
    ['statuses', 'gatway-error', parseStatuses, 'did you mean gateway-error?'],
    ['statuses', '504-500', parseStatuses, '"504-500" is no status'],
    ['statuses', '500-', parseStatuses, '"500-" is no status'],
    ['statuses', '500-502-504', parseStatuses, 'is no status'],
    ['statuses', '500, 502', parseStatuses, '" 502" is no status'],
    ['statuses', '__proto__', parseStatuses, 'is no status'],
    ['grpc', 'ok', parseGrpcStatuses, 'is none of'],
    ['grpc', 'unavalable', parseGrpcStatuses, 'did you mean unavailable?'],
    ['count', '65536', count, 'from 0 to 65535'],
    ['count', '1e2', count, 'from 0 to 65535'],
    ['share', '1.1', share, 'from 0 to 1'],
    ['share', '-0', share, 'from 0 to 1'],
    ['switch', 'yes', parseSwitch, 'neither'],
  ])('%s %j', (_, text, parse, fault) => {
    expect(parse(text)).toEqual({ fault: expect.stringContaining(fault) as string });
  });

  it('take back every time that they can write', () => {
    const unit = fc.constantFrom(['ms', 1], ['s', 1_000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000]);
    fc.assert(
      fc.property(fc.nat(1_000_000_000), unit, (magnitude, [name, factor]) => {
        const ms = magnitude * (factor as number);
        const isTooLong = ms > 365 * 86_400_000;
        expect('value' in parseSpan(`${magnitude}${name}`)).toBe(!isTooLong);
        if (!isTooLong) expect(parseSpan(`${magnitude}${name}`)).toEqual({ value: ms });
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
