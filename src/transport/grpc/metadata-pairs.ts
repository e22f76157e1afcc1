// Metadata as flat pairs, so that routes and layers see it as headers, and back. Binary values are base64 in between, as on
// the wire.
import type { Metadata } from './grpc-js.ts';
import type { ReplyHeaders } from '../../core/call.ts';

function isBinary(key: string): boolean {
  return key.endsWith('-bin');
}

/** `[name, value, name, value]`. */
export function pairsOf(metadata: Metadata): string[] {
  const headers = metadata.toHttp2Headers();
  const pairs: string[] = [];
  for (const key in headers) {
    const values = headers[key];
    if (Array.isArray(values)) for (const value of values) pairs.push(key, String(value));
    else pairs.push(key, String(values));
  }
  return pairs;
}

/** A new one of the same class, with the same options. */
export function metadataOf(pairs: readonly string[], like: Metadata): Metadata {
  const metadata = emptyLike(like);
  metadata.setOptions(like.getOptions());
  for (let i = 0; i < pairs.length; i += 2) add(metadata, pairs[i] as string, pairs[i + 1] as string);
  return metadata;
}

/** What layers have made of a head. */
export function metadataOfHeaders(headers: ReplyHeaders, like: Metadata): Metadata {
  const metadata = emptyLike(like);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    for (const one of Array.isArray(value) ? value : [value]) add(metadata, name, one);
  }
  return metadata;
}

/** As a head that layers can look at. */
export function headersOf(metadata: Metadata): ReplyHeaders {
  const headers = metadata.toHttp2Headers();
  const result: ReplyHeaders = {};
  for (const key in headers) {
    const values = headers[key];
    if (!Array.isArray(values)) result[key] = String(values);
    else result[key] = values.length === 1 ? String(values[0]) : values.map(String);
  }
  return result;
}

export function emptyLike(like: Metadata): Metadata {
  return new (like.constructor as new () => Metadata)();
}

function add(metadata: Metadata, name: string, value: string): void {
  metadata.add(name, isBinary(name) ? Buffer.from(value, 'base64') : value);
}
