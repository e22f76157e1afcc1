// Servers of the bench on loopback: so many ports, one way to answer.
import { createServer, type Socket } from 'node:net';

function listen(serve: (socket: Socket) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer(serve);
    server.on('error', reject);
    server.listen(0, '127.0.0.1', 511, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
}

/** The ports, in the order in which they were opened. */
export async function listenOnPorts(serve: (socket: Socket) => void, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let i = 0; i < count; i++) ports.push(await listen(serve));
  return ports;
}
