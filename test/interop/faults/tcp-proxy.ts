// A TCP proxy that spoils what the server says, whatever protocol it is: the fault can be changed while it runs, and holds for the
// connections that are there as well. Knows nothing of the library.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type TcpFault =
  | { readonly kind: 'none' }
  /** The connection is ended, or reset, as soon as it is accepted. */
  | { readonly kind: 'end' | 'reset' }
  /** Every piece comes so much later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Nothing is passed on until the fault is over; the connection stays. */
  | { readonly kind: 'stall' }
  /** A byte at a time, so much apart. */
  | { readonly kind: 'dribble'; readonly ms: number }
  /** After so many bytes of the server the connection is ended, or reset. */
  | { readonly kind: 'cut'; readonly bytes: number; readonly how: 'end' | 'reset' }
  /** Instead of what the server says. */
  | { readonly kind: 'garbage'; readonly text: string };

export interface TcpProxy {
  readonly port: number;
  readonly address: string;
  /** Read for every piece that the server sends. */
  fault: TcpFault;
  readonly accepted: () => number;
  readonly sockets: Set<Socket>;
  close(): void;
}

const NONE: TcpFault = { kind: 'none' };

class Link {
  readonly #client: Socket;
  readonly #proxy: { readonly fault: TcpFault };
  readonly #waiting: { readonly chunk: Buffer | null; readonly ms: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #passed = 0;

  constructor(client: Socket, proxy: { readonly fault: TcpFault }) {
    this.#client = client;
    this.#proxy = proxy;
    client.on('close', () => {
      clearTimeout(this.#timer);
    });
  }

  pass(chunk: Buffer): void {
    const { fault } = this.#proxy;
    if (fault.kind === 'stall') this.#waiting.push({ chunk, ms: 0 });
    else if (fault.kind === 'garbage') this.#client.end(fault.text);
    else if (fault.kind === 'cut') this.#cut(chunk, fault.bytes, fault.how);
    else if (fault.kind === 'delay') this.#later(chunk, fault.ms);
    else if (fault.kind === 'dribble') for (const byte of chunk) this.#later(Buffer.from([byte]), fault.ms);
    else {
      this.#flush();
      this.#client.write(chunk);
    }
  }

  /** What a fault held back comes before what comes after it. */
  #flush(): void {
    clearTimeout(this.#timer);
    for (const { chunk } of this.#waiting.splice(0)) if (chunk !== null) this.#client.write(chunk);
  }

  #cut(chunk: Buffer, bytes: number, how: 'end' | 'reset'): void {
    const rest = chunk.subarray(0, Math.max(0, bytes - this.#passed));
    this.#passed += rest.length;
    if (this.#passed < bytes) this.#client.write(rest);
    // What was written must be on its way before a reset throws away what was not.
    else this.#client.write(rest, () => (how === 'end' ? this.#client.end() : this.#later(null, 20)));
  }

  #later(chunk: Buffer | null, ms: number): void {
    this.#waiting.push({ chunk, ms });
    if (this.#waiting.length === 1) this.#next();
  }

  /** One after the other, so that they keep their order. */
  #next(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#timer = setTimeout(() => {
      this.#waiting.shift();
      if (next.chunk === null) this.#client.resetAndDestroy();
      else this.#client.write(next.chunk);
      this.#next();
    }, next.ms);
  }
}

export async function tcpProxy(targetPort: number, port = 0, host = '127.0.0.1'): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const state = { fault: NONE };
  const server = createServer((client) => {
    accepted++;
    sockets.add(client);
    client.on('error', () => {});
    client.on('close', () => sockets.delete(client));
    if (state.fault.kind === 'reset') return void client.resetAndDestroy();
    if (state.fault.kind === 'end') return void client.end();
    const target = connect(targetPort, '127.0.0.1');
    target.on('error', () => client.resetAndDestroy());
    client.on('close', () => target.destroy());
    client.pipe(target);
    const link = new Link(client, state);
    target.on('data', (chunk: Buffer) => link.pass(chunk));
    target.on('end', () => {
      if (state.fault.kind === 'none') client.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const at = (server.address() as AddressInfo).port;
  return Object.assign(state, {
    port: at,
    address: `${host}:${at}`,
    accepted: () => accepted,
    sockets,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
}
