// What a mesh is made from: its configuration, and the seams of tests and simulation.
import type { Endpoint } from '../core/call.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { Service } from '../core/service.ts';
import type { TlsPolicy } from '../model/destination.ts';
import type { DnsResolver } from '../discovery/source.ts';
import type { AccessFunction } from '../access/check.ts';
import type { ConfigSource } from './config-source.ts';
import type { TelemetryOptions } from './telemetry.ts';

export interface MeshOptions {
  /** File, list of files, folder, or the configuration itself. @default $INMESH_CONFIG, then ./mesh.yaml */
  readonly config?: ConfigSource;
  /** Whether files are watched, and SIGHUP reloads. @default true */
  readonly watch?: boolean;
  /** Policies of yours, asked for every call that comes in when no other policy has refused it. @default none */
  readonly authorize?: readonly AccessFunction[];
  readonly telemetry?: TelemetryOptions;
  /** Longest wait for the first endpoints of DNS and files, ms. @default 5000 */
  readonly readyMs?: number;
  /** Where the certificate of this process comes from, instead of `identity` in the configuration: `callbackSource` of inmesh/identity, or one of your own. */
  readonly identity?: IdentitySource;
  /** Seams of tests and simulation. @default the system's */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly resolver?: DnsResolver;
  /** Replaces the transport below every endpoint. `tlsNow` says what the configuration asks of it as of now. */
  readonly transport?: (endpoint: Endpoint, service: string, tlsNow: () => TlsPolicy) => Service;
  /** Where `${VAR}` and INMESH_CONFIG are read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}
