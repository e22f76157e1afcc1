// An inbound call without a socket, and an event loop whose turns and delays the test decides.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OutcomeKind } from '../../src/core/call.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { EventLoop } from '../../src/inbound/event-loop.ts';
import { InboundCall } from '../../src/inbound/inbound-call.ts';

export class FakeLoop implements EventLoop {
  turn = 0;
  /** How often it was asked. */
  looks = 0;
  lateMs = 0;
  /** Starts less stops. */
  users = 0;

  start(): void {
    this.users++;
  }

  stop(): void {
    this.users--;
  }

  delayMs(): number {
    this.looks++;
    return this.lateMs;
  }
}

export interface FakeInit {
  readonly headers?: readonly string[];
  readonly turn?: number;
  readonly startedAtMs?: number;
}

/** Its response remembers headers only. */
export function inboundCall(clock: Clock, { headers = [], turn = 0, startedAtMs = clock.now() }: FakeInit = {}): InboundCall {
  const request = { method: 'GET', url: '/', rawHeaders: [...headers], httpVersionMajor: 1, socket: {} } as unknown as IncomingMessage;
  const set = new Map<string, unknown>();
  const response = {
    setHeader: (name: string, value: unknown) => void set.set(name, value),
    getHeader: (name: string) => set.get(name),
  } as unknown as ServerResponse;
  return new InboundCall(request, response, { clock, onClosed() {} }, turn, startedAtMs);
}

export function end(call: InboundCall, kind: OutcomeKind = 'success'): void {
  call.end({ kind, status: 200, error: null, endedAtMs: call.host.clock.now() });
}
