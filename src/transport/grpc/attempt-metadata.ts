// The metadata of one attempt: what the caller gave, what the layers made of it, and that which only the last hop knows.
import type { Call } from '../../core/call.ts';
import { CRITICALITY_HEADER, GRPC_ATTEMPTS_HEADER, GRPC_TIMEOUT_HEADER } from '../../core/headers.ts';
import { CRITICALITIES } from '../../model/traffic.ts';
import type { GrpcKit } from './endpoint-line.ts';
import type { Cloneable, Metadata } from './grpc-js.ts';
import { metadataOf } from './metadata-pairs.ts';

/** What the attempts of one call share. */
export interface AttemptSource {
  readonly kit: GrpcKit;
  /** Of the caller, as of when he started the call. */
  readonly metadata: Metadata;
  /** As the layers see it. */
  readonly pairs: readonly string[];
  /** Host that the caller wrote for this call, null when he wrote none. */
  readonly host: string | null;
  readonly credentials: object | null;
  /** Whether the caller asks for a message. */
  readonly wantsMessage: boolean;
  /** The metadata for one attempt, to keep: most calls have one, so the first is given no copy. */
  takeMetadata(): Metadata;
}

/** For one attempt, to be given away. */
export function attemptMetadata(call: Call, source: AttemptSource): Cloneable {
  const metadata = call.headers === source.pairs ? source.takeMetadata() : metadataOf(call.headers, source.metadata);
  // Not the time of the attempt: that ends with the head, and the server would take it for that of a whole stream.
  const { deadlineMs } = call;
  if (deadlineMs !== Number.POSITIVE_INFINITY) metadata.set(GRPC_TIMEOUT_HEADER, timeoutText(deadlineMs - call.startedAtMs));
  if (call.attempt > 1) metadata.set(GRPC_ATTEMPTS_HEADER, String(call.attempt - 1));
  if (call.criticality >= 0 && metadata.get(CRITICALITY_HEADER).length === 0) {
    metadata.set(CRITICALITY_HEADER, CRITICALITIES[call.criticality] as string);
  }
  return new GivenAway(metadata);
}

/** grpc-js copies the metadata that a call is started with, as it writes into them: not needed where nobody else has them. */
class GivenAway implements Cloneable {
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  clone(): Metadata {
    return this.#metadata;
  }
}

/** At most 8 digits and a unit. Source: gRPC over HTTP/2. */
function timeoutText(ms: number): string {
  return ms < 1e8 ? `${Math.max(1, Math.ceil(ms))}m` : `${Math.min(99_999_999, Math.ceil(ms / 1_000))}S`;
}
