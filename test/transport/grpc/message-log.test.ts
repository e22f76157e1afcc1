// The buffer of a gRPC call: attempts that read side by side or one after the other, room that is given once, limits.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { replayBytes } from '../../../src/transport/body.ts';
import { type LogEntry, type LogReader, MessageLog } from '../../../src/transport/grpc/message-log.ts';

afterEach(() => {
  expect(replayBytes()).toBe(0);
});

/** An attempt that sends one message at a time, when told. */
class Reader implements LogReader {
  entry: LogEntry | null = null;
  sent = 0;
  nextReader: LogReader | null = null;
  isLost = false;
  reads = 0;
  readonly texts: string[] = [];
  readonly #log: MessageLog;

  constructor(log: MessageLog) {
    this.#log = log;
    log.join(this);
  }

  pump(): void {}

  startRead(): void {
    this.reads++;
  }

  lost(): void {
    this.isLost = true;
    this.#log.leave(this);
  }

  step(): boolean {
    const { entry } = this;
    if (entry === null || this.isLost) return false;
    this.texts.push(entry.message.toString());
    this.#log.written(this);
    return true;
  }
}

describe('a message log', () => {
  it('gives a second attempt everything from the start', () => {
    const log = new MessageLog();
    const first = new Reader(log);
    for (const text of ['a', 'b', 'c']) log.append(Buffer.from(text), undefined, undefined);
    first.step();
    first.step();
    log.leave(first);
    const second = new Reader(log);
    while (second.step());
    expect(second.texts).toEqual(['a', 'b', 'c']);
    log.finish();
  });

  it('keeps nothing once the call is committed', () => {
    const log = new MessageLog();
    const reader = new Reader(log);
    log.append(Buffer.alloc(100), undefined, undefined);
    expect([log.replayable, replayBytes()]).toEqual([true, 100]);
    reader.step();
    log.release();
    expect([log.replayable, replayBytes(), new Reader(log).entry]).toEqual([false, 0, null]);
    log.finish();
  });

  it('gives up at its limit, and the attempt that is behind is lost', () => {
    const log = new MessageLog(10);
    const [first, second] = [new Reader(log), new Reader(log)];
    log.append(Buffer.alloc(6), undefined, undefined);
    first.step();
    log.append(Buffer.alloc(6), undefined, undefined);
    expect([log.replayable, log.shareable, first.isLost, second.isLost]).toEqual([false, false, false, true]);
    log.finish();
  });

  it('may still go elsewhere while not a message of what is too long has left', () => {
    const log = new MessageLog(4);
    log.append(Buffer.alloc(6), undefined, undefined);
    log.close();
    expect(log.replayable).toBe(true);
    new Reader(log).step();
    expect(log.replayable).toBe(false);
    log.finish();
  });

  it('is copied only when all has been said and kept', () => {
    const log = new MessageLog();
    log.append(Buffer.from('a'), undefined, undefined);
    expect([log.length, log.copy()]).toEqual([-1, null]);
    log.close();
    const copy = log.copy() as MessageLog;
    const reader = new Reader(copy);
    while (reader.step());
    expect([log.length, reader.texts]).toEqual([1, ['a']]);
    copy.finish();
    log.finish();
  });

  it('gives no room again for what was being sent when the call ended', () => {
    const log = new MessageLog();
    const reader = new Reader(log);
    let acks = 0;
    log.append(Buffer.from('a'), undefined, () => void acks++);
    log.finish();
    expect([reader.step(), acks, log.replayable]).toEqual([true, 1, false]);
  });

  it('asks every attempt that has not left for a message', () => {
    const log = new MessageLog();
    const [first, second, third] = [new Reader(log), new Reader(log), new Reader(log)];
    log.leave(second);
    log.startRead();
    log.leave(third);
    log.startRead();
    expect([first.reads, second.reads, third.reads]).toEqual([2, 0, 1]);
  });

  it('gives room once for each message, whatever the attempts do', () => {
    const command = fc.constantFrom('append', 'step0', 'step1', 'swap', 'release');
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (commands, bytesMax) => {
        const log = new MessageLog(bytesMax);
        let readers = [new Reader(log), new Reader(log)];
        const acks: number[] = [];
        for (const word of commands) {
          if (word === 'append') {
            const index = acks.push(0) - 1;
            log.append(Buffer.from(String(index)), undefined, () => {
              acks[index] = (acks[index] as number) + 1;
            });
          } else if (word === 'swap') {
            const old = readers[1] as Reader;
            if (log.replayable) {
              log.leave(old);
              readers = [readers[0] as Reader, new Reader(log)];
            }
          } else if (word === 'release') log.release();
          else readers[word === 'step0' ? 0 : 1]?.step();
        }
        for (const { texts } of readers) expect(texts).toEqual(texts.map((_text, index) => String(index)));
        log.finish();
        expect(acks.every((count) => count === 1)).toBe(true);
        expect(replayBytes()).toBe(0);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
