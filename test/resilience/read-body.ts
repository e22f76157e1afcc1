// Reads replies in tests: a sink that collects, and what came of it.
import type { Reply, Sink } from '../../src/core/call.ts';

export interface Reading {
  readonly chunks: Uint8Array[];
  readonly text: string;
  ended: boolean;
  error: unknown;
}

/** Attaches at once; read `text` when it has ended. */
export function startReading(reply: Reply): Reading {
  const reading = {
    chunks: [] as Uint8Array[],
    ended: false,
    error: undefined as unknown,
    get text(): string {
      return Buffer.concat(this.chunks).toString();
    },
  };
  const sink: Sink = {
    onData(chunk) {
      reading.chunks.push(chunk);
      return true;
    },
    onEnd() {
      reading.ended = true;
    },
    onError(error) {
      reading.error = error;
    },
  };
  reply.attach(sink);
  return reading;
}

/** The whole body of a reply that is at hand. */
export function readBody(reply: Reply): string {
  const reading = startReading(reply);
  if (!reading.ended) throw new Error(`the body has not ended: ${JSON.stringify(reading.text)}`);
  return reading.text;
}
