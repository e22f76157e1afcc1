// The messages that a caller has sent, kept until the call is committed so that another attempt can send them again: the
// body of a gRPC call. Each attempt reads at its own place; whoever is first through with a message makes room for the next.
import type { Body } from '../../core/call.ts';
import { giveBackReplayBytes, takeReplayBytes } from '../body.ts';

/** Per call. Source: gRFC A6, `perRpcBufferLimit`. */
export const LOG_BYTES_MAX = 1_048_576;

/** An attempt that sends what is in the log. */
export interface LogReader {
  /** Index of the message that it sends next, or is sending. */
  cursor: number;
  /** There is more, or nothing more will come. */
  pump(): void;
  /** It has fallen behind what is still kept. */
  lost(): void;
}

export interface LogEntry {
  readonly message: Buffer;
  readonly flags: number | undefined;
}

interface Entry extends LogEntry {
  /** Of the caller; called once. */
  ack: ((error?: Error | null) => void) | undefined;
}

const NOBODY: readonly LogReader[] = Object.freeze([]);

export class MessageLog implements Body {
  readonly failure: unknown = undefined;
  /** Nothing comes after the last message. */
  isClosed = false;
  #entries: Entry[] = [];
  /** Index of the first entry. */
  #base = 0;
  #bytes = 0;
  /** Whether what was sent is kept. */
  #isKeeping = true;
  #readers: readonly LogReader[] = NOBODY;
  readonly #bytesMax: number;

  constructor(bytesMax: number = LOG_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Known once the caller has said all. */
  get length(): number {
    return this.isClosed && this.#isKeeping ? this.#bytes : -1;
  }

  /** What is too long to keep can still go elsewhere as long as no attempt has got rid of a message. */
  get replayable(): boolean {
    return this.#isKeeping || this.#base === 0;
  }

  get shareable(): boolean {
    return this.#isKeeping;
  }

  /** Index behind the last message. */
  get end(): number {
    return this.#base + this.#entries.length;
  }

  append(message: Buffer, flags: number | undefined, ack: Entry['ack']): void {
    this.#entries.push({ message, flags, ack });
    if (this.#isKeeping) this.#keep(message.byteLength);
    this.#pump();
  }

  close(): void {
    this.isClosed = true;
    this.#pump();
  }

  at(index: number): LogEntry | undefined {
    return this.#entries[index - this.#base];
  }

  /** The reader is through with its message: the caller may send another. */
  written(reader: LogReader, index: number): void {
    const entry = this.#entries[index - this.#base];
    const ack = entry?.ack;
    if (entry !== undefined) entry.ack = undefined;
    reader.cursor = index + 1;
    if (!this.#isKeeping) this.#trim();
    ack?.();
  }

  join(reader: LogReader): void {
    this.#readers = this.#readers.length === 0 ? [reader] : [...this.#readers, reader];
  }

  leave(reader: LogReader): void {
    this.#readers = this.#readers.length === 1 && this.#readers[0] === reader ? NOBODY : this.#readers.filter((one) => one !== reader);
  }

  get readers(): readonly LogReader[] {
    return this.#readers;
  }

  /** The call is committed: nothing will be sent again. */
  release(): void {
    if (this.#isKeeping) {
      this.#isKeeping = false;
      giveBackReplayBytes(this.#bytes);
      this.#bytes = 0;
    }
    this.#trim();
  }

  /** The call is over: who waits for room waits no longer. */
  finish(): void {
    this.release();
    const entries = this.#entries;
    this.#base += entries.length;
    this.#entries = [];
    for (const { ack } of entries) ack?.();
  }

  open(): unknown {
    return this;
  }

  copy(): Body | null {
    if (!this.isClosed || !this.#isKeeping) return null;
    const log = new MessageLog(this.#bytesMax);
    for (const { message, flags } of this.#entries) log.append(message, flags, undefined);
    log.close();
    return log.replayable || log.#entries.length === 0 ? log : null;
  }

  #keep(bytes: number): void {
    if (this.#bytes + bytes <= this.#bytesMax && takeReplayBytes(bytes)) {
      this.#bytes += bytes;
      return;
    }
    this.#loseOthers();
    this.release();
  }

  /** The attempt that is furthest goes on alone: what the others lack will not be there. */
  #loseOthers(): void {
    const readers = this.#readers;
    if (readers.length < 2) return;
    const first = readers.reduce((best, reader) => (reader.cursor > best.cursor ? reader : best));
    for (const reader of readers) if (reader !== first) reader.lost();
  }

  /** Lets go of what nobody sends any more. */
  #trim(): void {
    const readers = this.#readers;
    if (readers.length === 0) return;
    let from = (readers[0] as LogReader).cursor;
    for (let i = 1; i < readers.length; i++) from = Math.min(from, (readers[i] as LogReader).cursor);
    const count = from - this.#base;
    if (count <= 0) return;
    if (count === this.#entries.length) this.#entries = [];
    else this.#entries.splice(0, count);
    this.#base = from;
  }

  #pump(): void {
    const readers = this.#readers;
    for (let i = 0; i < readers.length; i++) (readers[i] as LogReader).pump();
  }
}
