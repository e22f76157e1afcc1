// The port between a server and the mesh that it serves for: all that is decided elsewhere.
import type { Clock } from '../core/clock.ts';
import type { DoorHost } from './door.ts';
import type { EntranceHost } from './entrance.ts';

/** A server that listens, and how it ends. */
export interface Listening {
  /** Takes over changed limits. */
  obey(): void;
  /** Called when it has closed with its last connection. */
  onClosed(listener: () => void): void;
  /** Accepts no more. Connections without a request are closed, the others after their answer. */
  stop(): void;
  /** No calls are wanted any more, and everything else is as before. */
  retire?(): void;
  closeIdle(): void;
  cutOff(): void;
}

/** What a mesh decides about its servers. */
export interface ServerHost extends DoorHost, EntranceHost {
  /** A server of ours begins to listen. */
  onListening(server: Listening): void;
  /** Why a server must not listen on a port; null when it may. 0: on something that is no port. */
  listenFault(port: number): Error | null;
}

/** What a server needs of a mesh. */
export interface ServerMesh {
  readonly clock: Clock;
  /** The stack before the handlers. @default the deadline of the caller alone */
  readonly inbound?: ServerHost;
}
