// When a connection is handed over: once, whatever comes in which turn.
import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { CertificateRefused, TicketWait } from '../../src/transport/tls-ticket.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  protocol = 'TLSv1.3';

  getProtocol(): string {
    return this.protocol;
  }

  close(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function waiting(tickets: TicketWait, socket: FakeSocket, handshakeMs = 10): (string | null)[] {
  const told: (string | null)[] = [];
  tickets.settle(socket as unknown as TLSSocket, handshakeMs, (error) => told.push(error?.message ?? null));
  return told;
}

describe('the wait for a ticket', () => {
  const REFUSED = 'the endpoint closed the connection when it saw our certificate';

  it.each<[string, (socket: FakeSocket, clock: VirtualClock) => void, (string | null)[]]>([
    ['the ticket', (socket) => socket.emit('session'), [null]],
    ['two tickets', (socket) => socket.emit('session') && socket.emit('session'), [null]],
    ['the end of the connection', (socket) => socket.close(), [REFUSED]],
    ['an error, then the end', (socket) => socket.emit('error', new Error('alert')) && socket.close(), [`${REFUSED}: alert`]],
    ['nothing in time', (_socket, clock) => clock.advance(200), [null]],
    // In one turn, as after a stall (regression: handed over twice, which closed it under its first calls).
    ['the ticket and the end of the time', (socket, clock) => socket.emit('session') && clock.advance(200), [null]],
    [
      'the end of the time, then the ticket',
      (socket, clock) => {
        clock.advance(200);
        socket.emit('session');
      },
      [null],
    ],
    [
      'the end of the time, then that of the connection',
      (socket, clock) => {
        clock.advance(200);
        socket.close();
      },
      [REFUSED],
    ],
    ['the ticket, then the end of the connection', (socket) => socket.emit('session') && socket.close(), [REFUSED]],
  ])('%s: settled once', async (_, play, expected) => {
    const clock = new VirtualClock();
    const socket = new FakeSocket();
    const told = waiting(new TicketWait(clock), socket);
    expect(told).toEqual([]);
    play(socket, clock);
    for (let i = 0; i < 3; i++) await turn();
    clock.advance(10_000);
    await turn();
    expect(told).toEqual(expected);
    expect(socket.eventNames()).toEqual([]);
  });

  it('is not made with TLS 1.2, nor for an endpoint that has sent none twice', async () => {
    const clock = new VirtualClock();
    const old = new FakeSocket();
    old.protocol = 'TLSv1.2';
    const tickets = new TicketWait(clock);
    expect(waiting(tickets, old)).toEqual([null]);
    for (let i = 0; i < 2; i++) {
      const told = waiting(tickets, new FakeSocket());
      clock.advance(200);
      await turn();
      expect(told).toEqual([null]);
    }
    expect(waiting(tickets, new FakeSocket())).toEqual([null]);
  });

  it('goes on for an endpoint that has sent one, however late others are', async () => {
    const clock = new VirtualClock();
    const tickets = new TicketWait(clock);
    const first = new FakeSocket();
    waiting(tickets, first);
    first.emit('session');
    for (let i = 0; i < 3; i++) {
      waiting(tickets, new FakeSocket());
      clock.advance(200);
      await turn();
    }
    const last = new FakeSocket();
    const told = waiting(tickets, last);
    expect(told).toEqual([]);
    last.close();
    expect(told).toEqual([REFUSED]);
  });

  it('lasts four handshakes, 2 s at most', async () => {
    for (const [handshakeMs, waitMs] of [
      [100, 400],
      [9_000, 2_000],
    ] as const) {
      const clock = new VirtualClock();
      const told = waiting(new TicketWait(clock), new FakeSocket(), handshakeMs);
      clock.advance(waitMs - 1);
      await turn();
      expect(told).toEqual([]);
      clock.advance(1);
      await turn();
      expect(told).toEqual([null]);
    }
    expect(new CertificateRefused('x').code).toBe('INMESH_CERTIFICATE_REFUSED');
  });
});
