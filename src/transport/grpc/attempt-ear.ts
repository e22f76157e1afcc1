// What grpc-js holds of an attempt. Node keeps every HTTP/2 stream until the next full collection, and with it all that its
// listeners reach: so what is reached ends here when the attempt is over, and calls are garbage while they are young.
import type { Listener, Metadata, StatusObject } from './grpc-js.ts';

/** The attempt, as its ear sees it. */
export interface EarOwner extends Listener {
  /** grpc-js has taken the message and has room for another. */
  onWritten(): void;
}

export class AttemptEar implements Listener {
  /** null: nobody listens any more. */
  owner: EarOwner | null;
  #onWritten: (() => void) | null = null;

  constructor(owner: EarOwner) {
    this.owner = owner;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.owner?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: Buffer): void {
    this.owner?.onReceiveMessage(message);
  }

  onReceiveStatus(status: StatusObject): void {
    this.owner?.onReceiveStatus(status);
  }

  /** Made when somebody waits: a single message goes out without. */
  get onWritten(): () => void {
    this.#onWritten ??= () => this.owner?.onWritten();
    return this.#onWritten;
  }
}
