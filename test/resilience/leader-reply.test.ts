import { describe, expect, it } from 'vitest';
import type { Sink } from '../../src/core/call.ts';
import { LeaderReply } from '../../src/resilience/leader-reply.ts';
import { fakeReply, type FakeReply } from '../support/fake-service.ts';

interface Rig {
  readonly source: FakeReply;
  readonly reply: LeaderReply;
  readonly log: string[];
  readonly sink: Sink;
  /** What `onData` answers. */
  wants: boolean;
}

function rig(): Rig {
  const source = fakeReply(200, { a: '1' });
  const log: string[] = [];
  const one: Rig = {
    source,
    log,
    wants: true,
    reply: new LeaderReply(source, () => log.push('discarded')),
    sink: {
      onData(chunk) {
        log.push(Buffer.from(chunk).toString());
        return one.wants;
      },
      onEnd: () => log.push('end'),
      onError: (error) => log.push(`error ${String(error)}`),
    },
  };
  return one;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('LeaderReply', () => {
  it('keeps what comes before a reader does, and asks for a pause meanwhile', () => {
    const { reply, log, sink, source } = rig();
    expect([reply.push(bytes('a')), reply.push(bytes('b'))]).toEqual([false, false]);
    reply.end({});
    expect(reply.intact).toBe(true);
    reply.attach(sink);
    expect(log).toEqual(['a', 'b', 'end']);
    expect(source.log).toEqual(['resume']);
  });

  it('passes on at once to a reader that keeps up', () => {
    const { reply, log, sink } = rig();
    reply.attach(sink);
    expect(reply.push(bytes('a'))).toBe(true);
    reply.end({});
    expect(log).toEqual(['a', 'end']);
  });

  it('stops at a reader that asks for a pause, and goes on when it resumes', () => {
    const one = rig();
    const { reply, log, sink, source } = one;
    reply.attach(sink);
    one.wants = false;
    expect(reply.push(bytes('a'))).toBe(false);
    expect(reply.push(bytes('b'))).toBe(false);
    reply.end({});
    expect(log).toEqual(['a']);
    one.wants = true;
    source.log.length = 0;
    reply.resume();
    expect([log, source.log]).toEqual([['a', 'b', 'end'], ['resume']]);
  });

  it('stays paused when it is paused before anybody reads', () => {
    const { reply, log, sink } = rig();
    reply.pause();
    reply.push(bytes('a'));
    reply.attach(sink);
    expect(log).toEqual([]);
    reply.resume();
    expect(log).toEqual(['a']);
  });

  it('tells a failure at once to who reads, and after what has come to who begins', () => {
    const reading = rig();
    reading.reply.attach(reading.sink);
    reading.reply.push(bytes('a'));
    reading.reply.fail('lost');
    reading.reply.fail('lost again');
    expect([reading.log, reading.reply.intact]).toEqual([['a', 'error lost'], false]);

    const late = rig();
    late.reply.push(bytes('a'));
    late.reply.fail('lost');
    late.reply.attach(late.sink);
    expect(late.log).toEqual(['a', 'error lost']);
  });

  it('wants nothing more once it is discarded; to hold costs nothing', () => {
    const { reply, log } = rig();
    reply.hold();
    expect(reply.intact).toBe(true);
    reply.discard();
    expect([reply.push(bytes('a')), log, reply.intact, reply.isUnwanted]).toEqual([true, ['discarded'], false, true]);
  });

  it('has a head of its own', () => {
    const { reply, source } = rig();
    reply.headers['b'] = '2';
    expect(source.headers).toEqual({ a: '1' });
  });
});
