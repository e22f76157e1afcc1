import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/call.ts';
import { ERROR_CODES, type MeshErrorCode } from '../../src/core/errors.ts';
import { CLASS_SLOTS, METHOD_SLOTS, methodSlot, STATUS_SLOTS } from '../../src/telemetry/outcome-slots.ts';
import { KNOWN_METHODS } from '../../src/telemetry/semconv.ts';
import { testError } from '../support/fake-service.ts';

function answer(status: number): Outcome {
  return { kind: 'success', status, error: null, endedAtMs: 0 };
}

describe('STATUS_SLOTS', () => {
  it.each([
    [200, { 'http.response.status_code': 200 }],
    [404, { 'http.response.status_code': 404, 'error.type': '404' }],
    [503, { 'http.response.status_code': 503, 'error.type': '503' }],
    [299, { 'http.response.status_code': 200 }],
    [499, { 'http.response.status_code': 400, 'error.type': '400' }],
    [599, { 'http.response.status_code': 500, 'error.type': '500' }],
    [0, {}],
    [99, {}],
    [600, {}],
    [999, {}],
  ])('%i', (status, attributes) => {
    expect(STATUS_SLOTS.attributes(STATUS_SLOTS.of(answer(status)))).toEqual(attributes);
  });
});

describe('CLASS_SLOTS', () => {
  it.each([
    [101, '1xx'],
    [200, '2xx'],
    [299, '2xx'],
    [301, '3xx'],
    [418, '4xx'],
    [599, '5xx'],
    [0, undefined],
    [700, undefined],
  ])('%i', (status, statusClass) => {
    expect(CLASS_SLOTS.attributes(CLASS_SLOTS.of(answer(status)))['inmesh.status_class']).toBe(statusClass);
  });
});

describe.each([
  ['STATUS_SLOTS', STATUS_SLOTS],
  ['CLASS_SLOTS', CLASS_SLOTS],
])('%s', (_name, slots) => {
  it.each(Object.keys(ERROR_CODES) as MeshErrorCode[])('%s has a slot of its own, whatever status came before', (code) => {
    const outcome: Outcome = { kind: 'failure', status: 200, error: testError(code), endedAtMs: 0 };
    expect(slots.attributes(slots.of(outcome))).toEqual({ 'error.type': code });
  });

  it('stays within its size', () => {
    for (let status = -1; status < 1_100; status++) expect(slots.of(answer(status)) ?? 0).toBeLessThan(slots.size);
  });
});

describe('methodSlot', () => {
  it('numbers the known methods, and has one place for the rest', () => {
    expect(KNOWN_METHODS.map(methodSlot)).toEqual(KNOWN_METHODS.map((_, index) => index));
    for (const method of ['get', 'PURGE', '', 'CALL']) expect(methodSlot(method)).toBe(METHOD_SLOTS - 1);
  });
});
