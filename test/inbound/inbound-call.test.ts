// What a caller states about its call, and how the signal of the handler behaves.
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, DEADLINE_HEADER } from '../../src/core/headers.ts';
import { signalOf } from '../../src/inbound/inbound-call.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { end, inboundCall } from './fake-inbound.ts';

const NEVER = Number.POSITIVE_INFINITY;

describe('the deadline of the caller', () => {
  it.each([
    ['250', 1_250],
    ['1', 1_001],
    ['999999999', 1_000_000_999],
    ['', NEVER],
    ['0', NEVER],
    ['-1', NEVER],
    ['1.5', NEVER],
    ['0x10', NEVER],
    ['9999999999', NEVER],
    ['10, 20', NEVER],
  ])('%j', (value, expected) => {
    expect(inboundCall(new VirtualClock(), { headers: [DEADLINE_HEADER, value] }).deadlineMs).toBe(expected);
  });

  it('counts from the arrival', () => {
    const call = inboundCall(new VirtualClock(1_000), { headers: [DEADLINE_HEADER, '250'], startedAtMs: 900 });
    expect(call.deadlineMs).toBe(1_150);
  });
});

describe('the other headers', () => {
  it('are read whatever the case of their names; the first of a kind counts', () => {
    const headers = ['Host', 'a:80', 'X-Envoy-Attempt-Count', '3', CRITICALITY_HEADER.toUpperCase(), 'sheddable', 'host', 'b'];
    const { authority, attempt, criticality, deadlineMs } = inboundCall(new VirtualClock(), { headers });
    expect({ authority, attempt, criticality, deadlineMs }).toEqual({ authority: 'a:80', attempt: 3, criticality: 0, deadlineMs: NEVER });
  });

  it.each([
    ['sheddable', 0],
    ['sheddablePlus', 1],
    ['critical', 2],
    ['criticalPlus', 3],
    ['Critical', -1],
    ['9', -1],
    ['', -1],
  ])('criticality %j', (value, expected) => {
    expect(inboundCall(new VirtualClock(), { headers: [CRITICALITY_HEADER, value] }).criticality).toBe(expected);
  });

  it.each([
    ['2', 2],
    ['1', 1],
    ['0', 0],
    ['-2', 0],
    ['two', 0],
    ['99999', 0],
  ])('attempt %j', (value, expected) => {
    expect(inboundCall(new VirtualClock(), { headers: [ATTEMPT_HEADER, value] }).attempt).toBe(expected);
  });
});

describe('the signal', () => {
  it('arms no timer unless somebody asks', () => {
    const clock = new VirtualClock();
    inboundCall(clock, { headers: [DEADLINE_HEADER, '100'] });
    expect(clock.armed).toBe(0);
  });

  it('is aborted at the deadline', () => {
    const clock = new VirtualClock();
    const call = inboundCall(clock, { headers: [DEADLINE_HEADER, '100'] });
    const signal = signalOf(call.request);
    expect(signalOf(call.request)).toBe(signal);
    clock.advance(99);
    expect(signal.aborted).toBe(false);
    clock.advance(1);
    expect(signal.reason).toMatchObject({ code: 'deadline_exceeded' });
    expect(clock.armed).toBe(0);
  });

  it('that is asked for after the deadline is aborted already', () => {
    const clock = new VirtualClock();
    const call = inboundCall(clock, { headers: [DEADLINE_HEADER, '100'] });
    clock.advance(100);
    expect(call.signal.aborted).toBe(true);
  });

  it('is aborted when the caller goes, and its timer with it', () => {
    const clock = new VirtualClock();
    const call = inboundCall(clock, { headers: [DEADLINE_HEADER, '100'] });
    const { signal } = call;
    call.over(false);
    expect(signal.reason).toMatchObject({ code: 'canceled' });
    expect(clock.armed).toBe(0);
  });

  it('is never aborted after the answer', () => {
    const clock = new VirtualClock();
    const call = inboundCall(clock, { headers: [DEADLINE_HEADER, '100'] });
    const { signal } = call;
    call.over(true);
    end(call);
    clock.advance(1_000);
    expect([signal.aborted, call.signal.aborted, clock.armed]).toEqual([false, false, 0]);
  });

  it('of a request that came past us is a mistake', () => {
    expect(() => signalOf({} as IncomingMessage)).toThrow('signalOf: this request did not come through createServer');
  });
});
