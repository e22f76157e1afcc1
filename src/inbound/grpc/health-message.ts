// The messages of grpc.health.v1, written and read by hand: each has one field.
// Source: grpc/health/v1/health.proto.
import { protobufField, protobufFields } from '../../identity/protobuf.ts';

export type ServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** By number. */
const STATUSES: readonly ServingStatus[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** Of field 1, as a number. */
const STATUS_TAG = 0x08;

/** `HealthCheckRequest { string service = 1 }`. */
export function writeHealthRequest(service: string): Buffer {
  return service === '' ? Buffer.alloc(0) : protobufField(1, service);
}

/** Throws an Error for what is no message. */
export function readHealthRequest(bytes: Uint8Array): string {
  return Buffer.from(protobufFields(bytes).get(1)?.at(-1) ?? []).toString();
}

/** `HealthCheckResponse { ServingStatus status = 1 }`. */
export function writeHealthResponse(status: ServingStatus): Buffer {
  const number = STATUSES.indexOf(status);
  return number === 0 ? Buffer.alloc(0) : Buffer.from([STATUS_TAG, number]);
}

/** What is not known of this message is UNKNOWN. */
export function readHealthResponse(bytes: Uint8Array): ServingStatus {
  return (bytes[0] === STATUS_TAG && STATUSES[bytes[1] ?? 0]) || 'UNKNOWN';
}

/** `HealthListResponse { map<string, HealthCheckResponse> statuses = 1 }`. */
export function writeHealthList(statuses: ReadonlyMap<string, ServingStatus>): Buffer {
  const entries: Buffer[] = [];
  for (const [service, status] of statuses) {
    const entry = Buffer.concat([protobufField(1, service), protobufField(2, writeHealthResponse(status))]);
    entries.push(protobufField(1, entry));
  }
  return Buffer.concat(entries);
}

/** Throws an Error for what is no message. */
export function readHealthList(bytes: Uint8Array): Map<string, ServingStatus> {
  const statuses = new Map<string, ServingStatus>();
  for (const entry of protobufFields(bytes).get(1) ?? []) {
    const fields = protobufFields(entry);
    const service = Buffer.from(fields.get(1)?.at(-1) ?? []).toString();
    statuses.set(service, readHealthResponse(fields.get(2)?.at(-1) ?? new Uint8Array(0)));
  }
  return statuses;
}
