// The messages that a caller has sent, kept until the call is committed so that another attempt can send them again: the
// body of a gRPC call. Each attempt reads at its own place; whoever is first through with a message makes room for the next.
import type { Body } from '../../core/call.ts';
import { giveBackReplayBytes, takeReplayBytes } from '../body.ts';

/** Per call. Source: gRFC A6, `perRpcBufferLimit`. */
export const LOG_BYTES_MAX = 1_048_576;

/** One message. A chain and no array: most calls have a single one. */
export interface LogEntry {
  readonly message: Buffer;
  readonly flags: number | undefined;
  /** Of the caller, who waits for room; called once. */
  ack: ((error?: Error | null) => void) | undefined;
  /** null: the last one so far. */
  next: LogEntry | null;
}

/** An attempt that sends what is in the log. Its fields are written by the log. */
export interface LogReader {
  /** The message that it sends, or sends next; null while there is none. */
  entry: LogEntry | null;
  /** Messages that it is through with. */
  sent: number;
  /** Another attempt of the same call. */
  nextReader: LogReader | null;
  /** There is more, or nothing more will come. */
  pump(): void;
  /** The caller asks for a message. */
  startRead(): void;
  /** It has fallen behind what is still kept. */
  lost(): void;
}

export class MessageLog implements Body {
  /** Nothing comes after the last message. */
  isClosed = false;
  #first: LogEntry | null = null;
  #last: LogEntry | null = null;
  #bytes = 0;
  /** Whether what was sent is kept. */
  #isKeeping = true;
  /** Whether every message is still there. */
  #isWhole = true;
  #readers: LogReader | null = null;
  readonly #bytesMax: number;

  constructor(bytesMax: number = LOG_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get failure(): unknown {
    return undefined;
  }

  /** Known once the caller has said all. */
  get length(): number {
    return this.isClosed && this.#isKeeping ? this.#bytes : -1;
  }

  /** What is too long to keep can still go elsewhere as long as no attempt has got rid of a message. */
  get replayable(): boolean {
    return this.#isKeeping || this.#isWhole;
  }

  get shareable(): boolean {
    return this.#isKeeping;
  }

  append(message: Buffer, flags: number | undefined, ack: LogEntry['ack']): void {
    const entry: LogEntry = { message, flags, ack, next: null };
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    for (let reader = this.#readers; reader !== null; reader = reader.nextReader) reader.entry ??= entry;
    if (this.#isKeeping) this.#keep(message.byteLength);
    this.#pump();
  }

  close(): void {
    this.isClosed = true;
    this.#pump();
  }

  /** The reader is through with its message: the caller may send another. */
  written(reader: LogReader): void {
    const { entry } = reader;
    if (entry === null) return;
    reader.entry = entry.next;
    reader.sent++;
    if (!this.#isKeeping) this.#trim();
    giveRoom(entry);
  }

  join(reader: LogReader): void {
    reader.entry = this.#first;
    reader.nextReader = this.#readers;
    this.#readers = reader;
  }

  leave(reader: LogReader): void {
    if (this.#readers === reader) {
      this.#readers = reader.nextReader;
      return;
    }
    let before = this.#readers;
    while (before !== null && before.nextReader !== reader) before = before.nextReader;
    if (before !== null) before.nextReader = reader.nextReader;
  }

  /** All attempts that are under way. */
  startRead(): void {
    for (let reader = this.#readers; reader !== null; reader = reader.nextReader) reader.startRead();
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
    let entry = this.#first;
    if (entry === null) return;
    this.#first = null;
    this.#last = null;
    this.#isWhole = false;
    for (; entry !== null; entry = entry.next) giveRoom(entry);
  }

  open(): unknown {
    return this;
  }

  copy(): Body | null {
    if (!this.isClosed || !this.#isKeeping) return null;
    const log = new MessageLog(this.#bytesMax);
    for (let entry = this.#first; entry !== null; entry = entry.next) log.append(entry.message, entry.flags, undefined);
    log.close();
    return log;
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
    let first = this.#readers;
    for (let reader = first; reader !== null; reader = reader.nextReader) if (reader.sent >= (first as LogReader).sent) first = reader;
    for (let reader = this.#readers; reader !== null; reader = reader.nextReader) if (reader !== first) reader.lost();
  }

  /** Lets go of what nobody sends any more. */
  #trim(): void {
    if (this.#readers === null) return;
    while (this.#first !== null && !this.#isAwaited(this.#first)) {
      this.#first = this.#first.next;
      this.#isWhole = false;
    }
    if (this.#first === null) this.#last = null;
  }

  #isAwaited(entry: LogEntry): boolean {
    for (let reader = this.#readers; reader !== null; reader = reader.nextReader) if (reader.entry === entry) return true;
    return false;
  }

  #pump(): void {
    for (let reader = this.#readers; reader !== null; reader = reader.nextReader) reader.pump();
  }
}

/** Once, though several attempts may send the message. */
function giveRoom(entry: LogEntry): void {
  const { ack } = entry;
  entry.ack = undefined;
  ack?.();
}
