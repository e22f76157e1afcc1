// The secured part of the soak as its caller sees it: the server of soak-secure-server.ts in a process of its own, the identity of
// this process, and new certificates for both.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/core/clock.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import { Roots } from './rotation-rig.ts';
import type { SecurePorts } from './soak-secure-server.ts';

const SERVER = 'spiffe://a.test/ns/default/sa/reviews';
const CLIENT = 'spiffe://a.test/ns/default/sa/productpage';
const CHILD = fileURLToPath(new URL('soak-secure-server.ts', import.meta.url));

export class SecureServer {
  readonly identity: HeldIdentity = new HeldIdentity({ clock: systemClock, random: () => 0, jitterMaxMs: 0 });
  readonly tls = { mode: 'mutual', subjectAltNames: [SERVER] } as const;
  http = '';
  grpc = '';
  readonly #roots: Roots = new Roots();
  readonly #child: ChildProcess;
  #rotations = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(faultShare: number): Promise<SecureServer> {
    const one = new SecureServer(fork(CHILD, [String(faultShare)], { execArgv: ['--disable-warning=ExperimentalWarning'] }));
    const ports = await one.#hand();
    one.http = `127.0.0.1:${ports.http}`;
    one.grpc = `127.0.0.1:${ports.grpc}`;
    return one;
  }

  /** New certificates at both ends; a step begins when the one before has reached both. */
  async rotate(): Promise<void> {
    this.#roots.step(++this.#rotations);
    await this.#hand();
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    this.identity.close();
    await gone;
  }

  async #hand(): Promise<SecurePorts> {
    const taken = new Promise<SecurePorts>((resolve) => this.#child.once('message', (ports) => resolve(ports as SecurePorts)));
    this.#child.send(this.#roots.material(SERVER));
    const ports = await taken;
    if (!this.identity.offer(this.#roots.material(CLIENT))) throw this.identity.lastError ?? new Error('no identity');
    return ports;
  }
}
