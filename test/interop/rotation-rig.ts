// Rotation under load, a mesh at both ends in processes of their own: every so often both get new certificates, every fourth
// time from a new root, while calls go on without retries. Plain TypeScript, so that every version of Node can run it;
// `.ci/rotation.ts` does.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runAt, systemClock } from '../../src/core/clock.ts';
import { type DevAuthority, newAuthority } from '../../src/identity/dev-authority.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import type { IdentityMaterial } from '../../src/identity/identity-material.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import type { FromServer, ServerSight, ToServer } from './rotation-server.ts';

export interface RotationOptions {
  readonly protocol: 'http1' | 'http2';
  readonly forMs: number;
  /** It goes on until there were so many, whatever the time: a machine may be busy. @default 0 */
  readonly callsMin?: number;
  readonly rotationsMin?: number;
  readonly everyMs: number;
  /** Loops that call one after the other. */
  readonly callers: number;
  /** Of the connections that the server takes, ms. */
  readonly maxAgeMs: number;
  /** `server`: the client keeps its certificate, so that connections end by their age alone. */
  readonly rotates: 'both' | 'server';
}

export interface RotationResult {
  readonly calls: number;
  /** Messages of calls that failed. */
  readonly failures: readonly string[];
  readonly rotations: number;
  readonly roots: number;
  readonly server: ServerSight;
}

const CLIENT = 'spiffe://a.test/ns/default/sa/productpage';
const SERVER = 'spiffe://a.test/ns/default/sa/reviews';
const TRUST_DOMAIN = 'a.test';

/** Both roots everywhere, then certificates of the new one, then the old one goes. */
export class Roots {
  trusted: readonly DevAuthority[] = [newAuthority({ trustDomain: TRUST_DOMAIN, nowMs: systemClock.wall() })];
  issuing: DevAuthority = this.trusted[0] as DevAuthority;
  made = 1;

  step(rotation: number): void {
    const phase = rotation % 4;
    if (phase === 2) {
      this.trusted = [...this.trusted, newAuthority({ trustDomain: TRUST_DOMAIN, nowMs: systemClock.wall() })];
      this.made++;
    } else if (phase === 3) this.issuing = this.trusted.at(-1) as DevAuthority;
    else if (phase === 0) this.trusted = this.trusted.slice(-1);
  }

  material(spiffeId: string): IdentityMaterial {
    const { chain, key } = this.issuing.issue({ spiffeId, nowMs: systemClock.wall() });
    return { chain: chain.join(''), key, roots: this.trusted.map(({ cert }) => cert).join('') };
  }
}

export function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    runAt(systemClock, systemClock.now() + ms, resolve);
  });
}

/** Asks, and waits for the answer. One at a time. */
function ask<T extends FromServer>(child: ChildProcess, message: ToServer): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the server ended with code ${code}`));
    child.once('exit', onExit);
    child.once('message', (answer) => {
      child.off('exit', onExit);
      resolve(answer as T);
    });
    child.send(message);
  });
}

function heldIdentity(material: IdentityMaterial): HeldIdentity {
  const identity = new HeldIdentity({ clock: systemClock, random: () => 0, jitterMaxMs: 0 });
  offer(identity, material);
  return identity;
}

function offer(identity: HeldIdentity, material: IdentityMaterial): void {
  if (!identity.offer(material)) throw identity.lastError ?? new Error('no identity');
}

export async function rotateUnderLoad(options: RotationOptions): Promise<RotationResult> {
  const { protocol, forMs, callsMin = 0, rotationsMin = 0, everyMs, callers, maxAgeMs, rotates } = options;
  const roots = new Roots();
  const child = fork(fileURLToPath(new URL('rotation-server.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const order = { maxConnectionAge: `${maxAgeMs}ms` };
  const { port } = await ask<{ port: number }>(child, { order, material: roots.material(SERVER) });
  const identity = heldIdentity(roots.material(CLIENT));
  const mesh = await createMesh({
    identity,
    config: {
      identity: { external: true },
      services: {
        reviews: {
          endpoints: [`127.0.0.1:${port}`],
          protocol,
          tls: { mode: 'mutual', subjectAltNames: [SERVER] },
          retries: false,
        },
      },
    },
  });

  const failures: string[] = [];
  const untilMs = systemClock.now() + forMs;
  let calls = 0;
  let rotations = 0;
  const isOn = (): boolean => systemClock.now() < untilMs || calls < callsMin || rotations < rotationsMin;
  const caller = async (): Promise<void> => {
    while (isOn()) {
      calls++;
      try {
        const response = await mesh.fetch('http://reviews/');
        const text = await response.text();
        if (response.status !== 200 || text !== 'productpage') failures.push(`${response.status} ${text}`);
      } catch (error) {
        failures.push(`${(error as Error).message} (after rotation ${rotations})`);
      }
    }
  };
  const rotator = async (): Promise<void> => {
    for (await after(everyMs); isOn(); await after(everyMs)) {
      rotations++;
      if (rotates === 'both') roots.step(rotations);
      // A step begins when the one before has reached everybody.
      await ask(child, { material: roots.material(SERVER) });
      if (rotates === 'both') offer(identity, roots.material(CLIENT));
    }
  };
  await Promise.all([rotator(), ...Array.from({ length: callers }, caller)]);
  await mesh.close();
  const server = await ask<ServerSight>(child, 'end');
  child.disconnect();
  identity.close();
  return { calls, failures, rotations, roots: roots.made, server };
}
