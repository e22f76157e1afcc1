import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from '../support/virtual-clock.ts';
import { copyOf, PROCESS_BYTES_MAX, replayBytes, requestBody, type RequestBody } from '../../src/transport/body.ts';

const LIMIT = 65_536;

type Chunks = AsyncGenerator<Uint8Array>;

function streamed(value: unknown, declared = -1, limit = LIMIT): RequestBody {
  return requestBody(value, declared, limit) as RequestBody;
}

async function readAll(body: RequestBody): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.open() as Chunks) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** A source that notes what becomes of it. */
function source(parts: readonly unknown[], fails?: unknown): AsyncIterable<unknown> & { reads: number; closed: number } {
  const state = {
    reads: 0,
    closed: 0,
    [Symbol.asyncIterator]: () => ({
      next: (): Promise<IteratorResult<unknown>> => {
        const value = parts[state.reads++];
        if (value !== undefined) return Promise.resolve({ value, done: false });
        return fails === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(fails as Error);
      },
      return: (): Promise<IteratorResult<unknown>> => {
        state.closed++;
        return Promise.resolve({ value: undefined, done: true });
      },
    }),
  };
  return state;
}

const web = (parts: readonly unknown[]): ReadableStream => ReadableStream.from(parts as Iterable<unknown>);

describe('a body in memory', () => {
  it.each([
    ['string', 'grüße', 7],
    ['Buffer', Buffer.from('abc'), 3],
    ['typed array', new Uint16Array([1, 2]), 4],
    ['ArrayBuffer', new ArrayBuffer(5), 5],
    ['Blob', new Blob(['abcd']), 4],
  ])('%s: counted, replayed, handed on as it is', (_, value, length) => {
    const body = streamed(value);
    expect([body.length, body.replayable, body.isCounted, body.failure]).toEqual([length, true, true, undefined]);
    const opened = body.open();
    expect(body.open()).toBe(opened);
    body.release();
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['empty string', ''],
    ['empty bytes', new Uint8Array(0)],
  ])('%s is no body', (_, value) => {
    expect(requestBody(value, -1, LIMIT)).toBeNull();
  });

  it.each([
    ['number', 5],
    ['boolean', true],
    ['function', () => {}],
    ['plain object', { a: 1 }],
  ])('%s is refused', (_, value) => {
    expect(() => requestBody(value, -1, LIMIT)).toThrow('body must be');
  });

  it.each([
    ['string', 'ü'.repeat(LIMIT / 2 + 1)],
    ['bytes', new Uint8Array(LIMIT + 2)],
  ])('%s over the limit goes once, unless it never went', async (_, value) => {
    const body = streamed(value);
    expect([body.replayable, body.isCounted, body.length]).toEqual([true, false, LIMIT + 2]);
    body.open();
    expect(body.replayable).toBe(true);
    await readAll(body);
    expect(body.replayable).toBe(false);
  });

  it('at the limit it is replayed', () => {
    expect([streamed('x'.repeat(LIMIT)).isCounted, streamed('x'.repeat(LIMIT)).replayable]).toEqual([true, true]);
  });

  it('foreign FormData is made into one that undici takes', () => {
    const form = new FormData();
    form.append('a', '1');
    form.append('f', new Blob(['file']), 'a.txt');
    const body = streamed(form);
    const own = body.open() as FormData;
    expect([own.get('a'), (own.get('f') as File).name, body.replayable]).toEqual(['1', 'a.txt', true]);
  });
});

describe('a body that flows', () => {
  const kinds: readonly (readonly [string, (parts: string[]) => unknown])[] = [
    ['async iterable', (parts) => source(parts)],
    ['iterable', (parts) => parts],
    ['Node stream', (parts) => Readable.from(parts.map((part) => Buffer.from(part)))],
    ['web stream', (parts) => web(parts)],
    ['array buffers', (parts) => source(parts.map((part) => new TextEncoder().encode(part).buffer))],
    ['views', (parts) => source(parts.map((part) => new DataView(new TextEncoder().encode(part).buffer)))],
  ];
  it.each(kinds)('%s: read once, replayed whole', async (_, make) => {
    const body = streamed(make(['one ', 'two ', 'three']));
    expect([await readAll(body), await readAll(body), body.replayable]).toEqual(['one two three', 'one two three', true]);
    expect(replayBytes()).toBe(13);
    body.release();
    expect(replayBytes()).toBe(0);
  });

  it('is not read before somebody asks', () => {
    const from = source(['x']);
    streamed(from).open();
    expect(from.reads).toBe(0);
  });

  it('goes on where the attempt before stopped', async () => {
    const from = source(['a', 'b', 'c', 'd']);
    const body = streamed(from);
    const first = body.open() as Chunks;
    await first.next();
    await first.next();
    expect(await readAll(body)).toBe('abcd');
    await expect(first.next()).rejects.toThrow('not needed any more');
    expect([from.reads, from.closed]).toEqual([5, 0]);
    body.release();
  });

  it('an attempt that waits for the same piece as its successor does not take it away', async () => {
    const pieces: ((value: IteratorResult<string>) => void)[] = [];
    const body = streamed({ [Symbol.asyncIterator]: () => ({ next: () => new Promise((resolve) => pieces.push(resolve)) }) });
    const first = (body.open() as Chunks).next();
    const second = body.open() as Chunks;
    const got = second.next();
    pieces[0]?.({ value: 'a', done: false });
    await expect(first).rejects.toThrow('not needed any more');
    expect(Buffer.from((await got).value as Uint8Array).toString()).toBe('a');
    expect(pieces).toHaveLength(1);
    body.release();
  });

  it('over the limit goes once, and keeps nothing', async () => {
    const body = streamed(source(Array.from({ length: 20 }, () => 'x'.repeat(10_000))), -1, 100_000);
    const reader = body.open() as Chunks;
    for (let i = 0; i < 10; i++) await reader.next();
    expect([body.replayable, replayBytes()]).toEqual([true, 100_000]);
    await reader.next();
    expect([body.replayable, replayBytes()]).toEqual([false, 0]);
    expect(() => body.open()).toThrow('too long to be sent again');
    body.release();
  });

  it('a declared length over the limit copies nothing; unread it may go elsewhere', async () => {
    const body = streamed(source(['abc']), LIMIT + 1);
    body.open();
    expect(body.replayable).toBe(true);
    expect(await readAll(body)).toBe('abc');
    expect([body.replayable, replayBytes(), body.length]).toEqual([false, 0, LIMIT + 1]);
    body.release();
  });

  it('all bodies of the process share one pot', async () => {
    const bodies: RequestBody[] = [];
    const piece = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < PROCESS_BYTES_MAX / piece.length; i++) {
      const body = streamed(source([piece]), -1, 2 * piece.length);
      await readAll(body);
      expect(body.replayable).toBe(true);
      bodies.push(body);
    }
    expect(replayBytes()).toBe(PROCESS_BYTES_MAX);
    const one = streamed(source(['x']));
    expect([await readAll(one), one.replayable]).toEqual(['x', false]);
    for (const body of bodies) body.release();
    expect(replayBytes()).toBe(0);
  });

  it('a source that fails is to blame', async () => {
    const body = streamed(source(['a'], new RangeError('disk')));
    await expect(readAll(body)).rejects.toThrow('disk');
    expect((body.failure as Error).message).toBe('disk');
    await expect(readAll(body)).rejects.toThrow('disk');
    body.release();
  });

  it('a piece that is no bytes is a failure of the source', async () => {
    const body = streamed(source(['a', 5]));
    await expect(readAll(body)).rejects.toThrow('neither string nor bytes');
    expect(body.failure).toBeInstanceOf(TypeError);
    body.release();
  });

  it('a Node stream that fails before it is read does not end the process', async () => {
    const stream = new Readable({ read: () => {} });
    const body = streamed(stream);
    stream.destroy(new Error('no such file'));
    await settle();
    await expect(readAll(body)).rejects.toThrow('no such file');
    expect((body.failure as Error).message).toBe('no such file');
  });
});

describe('release', () => {
  it('closes a source that was not read to its end, once', async () => {
    const from = source(['a', 'b']);
    const body = streamed(from);
    await (body.open() as Chunks).next();
    body.release();
    body.release();
    expect([from.closed, replayBytes()]).toEqual([1, 0]);
  });

  it('leaves alone a source that has ended', async () => {
    const from = source(['a']);
    const body = streamed(from);
    await readAll(body);
    body.release();
    expect(from.closed).toBe(0);
  });

  it('closes what was never opened', async () => {
    const stream = Readable.from(['a']);
    streamed(stream).release();
    expect(stream.destroyed).toBe(true);
    let cancelled: unknown;
    streamed(new ReadableStream({ cancel: (reason) => void (cancelled = reason) })).release();
    expect((cancelled as Error).name).toBe('AbortError');
  });

  it('closes a stream that a read waits for', async () => {
    let cancelled = false;
    const body = streamed(new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => void (cancelled = true) }));
    const pending = (body.open() as Chunks).next();
    await Promise.resolve();
    body.release();
    await expect(pending).rejects.toThrow('not needed any more');
    expect([cancelled, body.failure]).toEqual([true, undefined]);
  });

  it('an attempt that is still writing does not take the end for the end of the body', async () => {
    const body = streamed(source(['a', 'b']));
    const reader = body.open() as Chunks;
    await reader.next();
    body.release();
    await expect(reader.next()).rejects.toThrow('not needed any more');
  });
});

describe('whatever is cut wherever', () => {
  it('every attempt reads the same bytes from the start, the source is read once', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 0, maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.nat(14), { minLength: 1, maxLength: 4 }),
      async (parts, cuts) => {
        const from = source(parts);
        const body = streamed(from);
        const whole = Buffer.concat(parts);
        for (const cut of cuts) {
          const reader = body.open() as Chunks;
          let read = Buffer.alloc(0);
          for (let i = 0; i < cut; i++) {
            const step = await reader.next();
            if (step.done === true) break;
            read = Buffer.concat([read, step.value]);
          }
          expect(whole.subarray(0, read.length).equals(read)).toBe(true);
        }
        const chunks: Uint8Array[] = [];
        for await (const chunk of body.open() as Chunks) chunks.push(chunk);
        expect(Buffer.concat(chunks).equals(whole)).toBe(true);
        expect(from.reads).toBe(parts.length + 1);
        body.release();
        expect(replayBytes()).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 300, seed: 7 });
  });
});

describe('two attempts side by side', () => {
  it.each([
    ['text', () => 'abc', true],
    ['bytes', () => Buffer.from('abc'), true],
    ['a form', () => new FormData(), true],
    ['a blob', () => new Blob(['abc']), true],
    ['text beyond the limit', () => 'x'.repeat(LIMIT + 1), false],
    ['a stream', () => source(['abc']), false],
  ])('may read %s: %3$s', (_, make, may) => expect(streamed(make()).shareable === true).toBe(may));
});

describe('a copy for a second call', () => {
  const text = async (body: unknown): Promise<string> => readAll(body as RequestBody);

  it('of what is in memory is the same again', () => {
    const body = streamed('abc');
    expect(copyOf(body)).toBe(body);
    expect(copyOf({ ...body } as RequestBody)).toBeNull();
  });

  it('of what is in memory and beyond the limit leaves the first one unsent', async () => {
    const body = streamed('x'.repeat(LIMIT + 1));
    const copy = copyOf(body) as RequestBody;
    expect([(await text(copy)).length, copy.length, copy.isCounted, body.replayable]).toEqual([LIMIT + 1, LIMIT + 1, false, true]);
    await readAll(body);
    expect((await text(copyOf(body))).length).toBe(LIMIT + 1);
  });

  it('of what flows reads along, never ahead', async () => {
    const from = source(['one ', 'two']);
    const body = streamed(from, 7);
    const copy = copyOf(body) as RequestBody;
    const reader = copy.open() as Chunks;
    const first = reader.next();
    await settle();
    expect(from.reads).toBe(0);
    expect(await readAll(body)).toBe('one two');
    expect(Buffer.from((await first).value as Uint8Array).toString()).toBe('one ');
    expect([await text(copy), copy.length, copy.isCounted]).toEqual(['one two', 7, false]);
    copy.release();
    body.release();
  });

  it('outlives the first call when that had sent all; the bytes count until both have let go', async () => {
    const body = streamed(source(['abcde']), 5);
    const [copy, other] = [copyOf(body), copyOf(body)] as [RequestBody, RequestBody];
    await readAll(body);
    body.release();
    expect([await text(copy), replayBytes()]).toEqual(['abcde', 5]);
    copy.release();
    copy.release();
    expect([await text(other), replayBytes()]).toEqual(['abcde', 5]);
    other.release();
    expect([replayBytes(), copyOf(body)]).toEqual([0, null]);
  });

  it.each<[string, (body: RequestBody) => Promise<unknown> | void]>([
    ['was released before its end', (body) => body.release()],
    ['grew beyond the limit', (body) => readAll(body)],
  ])('of what %s fails, and nobody but the copy is to blame', async (_name, end) => {
    const body = streamed(source(['abc', 'x'.repeat(LIMIT)]), 3);
    const copy = copyOf(body) as RequestBody;
    const read = text(copy);
    read.catch(() => {});
    await settle();
    await end(body);
    await expect(read).rejects.toThrow('not needed any more');
    expect(copy.failure).toBeInstanceOf(DOMException);
    copy.release();
    body.release();
    expect(replayBytes()).toBe(0);
  });

  it('of what the source breaks off fails too', async () => {
    const body = streamed(source(['abc'], new Error('broken')), 9);
    const read = text(copyOf(body));
    read.catch(() => {});
    await expect(readAll(body)).rejects.toThrow('broken');
    await expect(read).rejects.toThrow('not needed any more');
    body.release();
  });

  it.each([
    ['of unknown length', -1, LIMIT],
    ['longer than what is kept', LIMIT + 1, LIMIT],
  ])('of what is %s there is none', (_name, declared, limit) => {
    expect(copyOf(streamed(source(['abc']), declared, limit))).toBeNull();
  });

  it('property: the first call reads the same bytes, at the same moments, with copies and without', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }), async (parts, order) => {
        const total = parts.reduce((sum, size) => sum + size, 0);
        const run = async (copies: boolean): Promise<[string[], string[]]> => {
          const from = source(parts.map((size) => 'x'.repeat(size)));
          const body = streamed(from, total);
          const reader = body.open() as Chunks;
          const log: string[] = [];
          const copied: Promise<string>[] = [];
          for (const step of order) {
            if (step < 5) log.push(`${(await reader.next()).value?.byteLength} of ${from.reads}`);
            else if (copies) {
              const read = text(copyOf(body));
              read.catch(() => {});
              copied.push(read);
              await settle();
            }
          }
          for await (const chunk of reader) log.push(`${chunk.byteLength} of ${from.reads}`);
          return [log, await Promise.all(copied)];
        };
        const [withCopies, texts] = await run(true);
        expect(withCopies).toEqual((await run(false))[0]);
        for (const one of texts) expect(one).toBe('x'.repeat(total));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
