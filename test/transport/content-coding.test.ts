// Bodies as fetch hands them on: decoded, outermost coding first; as they are where nobody knows the coding.
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Reply, Sink } from '../../src/core/call.ts';
import { attachDecoded } from '../../src/transport/content-coding.ts';

const TEXT = 'the answer '.repeat(2_000);

/** What came of a body that arrives in these pieces. `slow`: the sink takes nothing until it is asked again. */
function decoded(
  coding: string | string[] | undefined,
  chunks: readonly Uint8Array[],
  slow = false,
): Promise<{ text: string; broken: number; error: unknown }> {
  return new Promise((resolve) => {
    const parts: Uint8Array[] = [];
    let broken = 0;
    let flow: { resume(): void } | null = null;
    const end = (error: unknown): void => resolve({ text: Buffer.concat(parts).toString(), broken, error });
    const sink: Sink = {
      onData: (chunk) => {
        parts.push(Uint8Array.from(chunk));
        if (slow) setImmediate(() => flow?.resume());
        return !slow;
      },
      onEnd: () => end(null),
      onError: end,
    };
    let feed: Sink | null = null;
    const reply = {
      headers: coding === undefined ? {} : { 'content-encoding': coding },
      attach: (given: Sink) => (feed = given),
      pause() {},
      resume() {},
      discard() {},
    } as unknown as Reply;
    flow = attachDecoded(reply, sink, () => {
      broken++;
      setImmediate(() => end('broken'));
    });
    setImmediate(() => {
      for (const chunk of chunks) (feed as Sink | null)?.onData(chunk);
      (feed as Sink | null)?.onEnd({});
    });
  });
}

const plain = Buffer.from(TEXT);
const halves = (bytes: Buffer): Buffer[] => [bytes.subarray(0, 5), Buffer.alloc(0), bytes.subarray(5)];

describe('a body in a coding', () => {
  it.each<[string | string[] | undefined, Buffer]>([
    [undefined, plain],
    ['', plain],
    ['identity', plain],
    ['gzip', zlib.gzipSync(plain)],
    ['X-GZIP', zlib.gzipSync(plain)],
    ['deflate', zlib.deflateSync(plain)],
    ['deflate', zlib.deflateRawSync(plain)],
    ['br', zlib.brotliCompressSync(plain)],
    ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(plain))],
    ['identity, gzip', zlib.gzipSync(plain)],
  ])('%j is decoded, for those who are slow, too', async (coding, bytes) => {
    for (const slow of [false, true]) expect(await decoded(coding, halves(bytes), slow)).toEqual({ text: TEXT, broken: 0, error: null });
  });

  it.runIf(typeof zlib.zstdCompressSync === 'function')('zstd is decoded', async () => {
    expect((await decoded('zstd', halves(zlib.zstdCompressSync(plain)))).text).toBe(TEXT);
  });

  it('that nobody knows stays as it is', async () => {
    expect((await decoded('gzip, mystery', [Buffer.from('bytes')])).text).toBe('bytes');
  });

  it.each(['gzip', 'br', 'gzip, br'])('%s without a byte is empty', async (coding) => {
    expect(await decoded(coding, [Buffer.alloc(0)])).toEqual({ text: '', broken: 0, error: null });
  });

  it.each(['gzip', 'deflate', 'br', 'gzip, gzip'])('%s that is none breaks off, once', async (coding) => {
    const { broken, error } = await decoded(coding, [Buffer.from('\x18 no such bytes'), Buffer.from('more')]);
    expect([broken, error]).toEqual([expect.any(Number), expect.objectContaining({ message: 'terminated' })]);
  });

  it('in too many layers is refused before a byte of it', async () => {
    const coding = Array.from({ length: 6 }, () => 'gzip').join(',');
    expect(await decoded(coding, [])).toMatchObject({ error: { message: expect.stringContaining('too many content-encodings') } });
  });
});
