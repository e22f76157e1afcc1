import { describe, expect, it } from 'vitest';
import { SERVER_LIMITS_DEFAULTS } from '../../src/model/server-limits.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import type { InboundInput } from '../../src/model/input.ts';
import type { InboundConfig } from '../../src/model/inbound.ts';

function resolved(inbound: InboundInput): InboundConfig {
  const result = resolveConfig({ inbound, services: {} });
  if (!('config' in result)) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return result.config.inbound;
}

describe('limits of servers', () => {
  it('are absent when nobody writes them, and complete when somebody writes one', () => {
    expect(resolved({}).limits).toBeUndefined();
    expect(resolved({ limits: {} }).limits).toEqual(SERVER_LIMITS_DEFAULTS);
    expect(resolved({ limits: { headersTimeout: '3s', maxConnections: 0 } }).limits).toEqual({
      ...SERVER_LIMITS_DEFAULTS,
      headersMs: 3_000,
      maxConnections: 0,
    });
  });

  it('are read each into its own place', () => {
    const limits = {
      maxConnections: 1,
      maxConnectionsPerAddress: 2,
      maxRequests: 3,
      firstByteTimeout: '4ms',
      handshakeTimeout: '5ms',
      headersTimeout: '6ms',
      requestTimeout: '7ms',
      idleTimeout: '8ms',
      maxHeaderBytes: 2_000,
      maxConnectionAge: '9ms',
      maxStreams: 10,
      streamResetBurst: 11,
      streamResetRate: 12,
      controlFrameBurst: 13,
      controlFrameRate: 14,
    } as const;
    expect(Object.values(resolved({ limits }).limits ?? {})).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 2_000, 9, 10, 11, 12, 13, 14]);
  });

  it.each([
    [{ limits: { maxStreams: 0 } }, 'maxStreams'],
    [{ limits: { maxStream: 5 } as object }, 'maxStream'],
    [{ minTls: '1.1' as '1.2' }, 'minTls'],
  ])('that cannot be are refused: %j', (input, field) => {
    const result = resolveConfig({ inbound: input as InboundInput, services: {} });
    const issues = 'issues' in result ? result.issues : [];
    expect(issues.some(({ message, severity }) => severity === 'error' && message.includes(field))).toBe(true);
  });
});
