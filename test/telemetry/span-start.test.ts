import { describe, expect, it } from 'vitest';
import { serverAddress, spanStarts } from '../../src/telemetry/span-start.ts';

describe('serverAddress', () => {
  it.each([
    ['http', 'reviews', 'reviews', 80],
    ['https', 'reviews', 'reviews', 443],
    ['https', 'reviews.prod.svc:8443', 'reviews.prod.svc', 8443],
    ['http', '[2001:db8::1]', '2001:db8::1', 80],
    ['http', '[2001:db8::1]:81', '2001:db8::1', 81],
    ['http', '10.0.0.1:81', '10.0.0.1', 81],
    ['http', 'user:secret@reviews:81', 'reviews', 81],
    ['http', 'user:secret@reviews', 'reviews', 80],
    ['http', 'reviews:', 'reviews', 80],
  ])('%s %s', (scheme, authority, address, port) => {
    expect(serverAddress(scheme, authority)).toEqual({ address, port });
  });
});

describe('spanStarts', () => {
  it('is named after the method, and carries what a sampler may look at', () => {
    expect(spanStarts()('https', 'PUT', 'reviews:8443')).toEqual({
      name: 'PUT',
      options: { kind: 2, attributes: { 'http.request.method': 'PUT', 'server.address': 'reviews', 'server.port': 8443 } },
    });
  });

  it('names an unknown method HTTP', () => {
    expect(spanStarts()('http', 'PURGE', 'reviews')).toMatchObject({
      name: 'HTTP',
      options: { attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' } },
    });
  });

  it('is built once for equal calls, and bounded for others', () => {
    const starts = spanStarts();
    const first = starts('http', 'GET', 'reviews');
    expect(starts('http', 'GET', 'reviews')).toBe(first);
    expect(starts('http', 'POST', 'reviews')).not.toBe(first);
    expect(starts('https', 'GET', 'reviews')).not.toBe(first);
    expect(starts('http', 'GET', 'reviews')).toBe(first);
    for (let i = 0; i < 300; i++) starts('http', 'GET', `host-${i}`);
    expect(starts('http', 'GET', 'reviews')).not.toBe(first);
  });

  it('has no HTTP attributes for a function', () => {
    expect(spanStarts()('function', 'CALL', 'db')).toEqual({ name: 'mesh.attempt', options: { kind: 0 } });
  });
});
