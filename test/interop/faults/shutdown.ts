// SIGTERM to a server of ours in a process of its own, as its callers see it: readiness, the time in which it still takes calls, the
// call that is under way, the end.
import { fork } from 'node:child_process';
import { connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Protocol } from './peers.ts';

interface Answer {
  readonly status: number;
  /** `connection: close`, or GOAWAY. */
  readonly isLast: boolean;
}

async function overHttp1(port: number, path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  await response.arrayBuffer();
  return { status: response.status, isLast: response.headers.get('connection') === 'close' };
}

function overHttp2(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    let [status, isLast] = [0, false];
    session.on('error', reject);
    session.on('goaway', () => {
      isLast = true;
    });
    const stream = session.request({ ':path': path });
    stream.on('error', reject);
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.on('close', () => {
      session.close();
      resolve({ status, isLast });
    });
    stream.resume().end();
  });
}

const CHILD = fileURLToPath(new URL('shutdown-child.ts', import.meta.url));
const NOTICED_MS_MAX = 200;

export const SHUTDOWN_WELL = 'ready, then not ready; still taken; then the call under way 200, told to go; no more taken; exit 0';

export async function shutdown(protocol: Protocol, dist = ''): Promise<string> {
  const ask = protocol === 'http1' ? overHttp1 : overHttp2;
  const child = fork(CHILD, [dist], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const exited = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? String(code))));
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number)));
  const isReady = async (): Promise<boolean> => (await ask(port, '/ready')).status === 200;
  const before = await isReady();
  const busy = new Promise((resolve) => child.once('message', resolve));
  const answer = ask(port, '/long');
  await busy;
  child.kill('SIGTERM');
  // The signal is on its way while the first answers are.
  const endMs = performance.now() + NOTICED_MS_MAX;
  let after = await isReady();
  while (after && performance.now() < endMs) {
    await sleep(5);
    after = await isReady();
  }
  const during = await ask(port, '/').then(
    ({ status }) => (status === 200 ? 'still taken' : `answered ${status}`),
    (error: Error) => `not taken (${error.message})`,
  );
  const { status, isLast } = await answer;
  const late = await ask(port, '/').then(
    () => 'more taken',
    () => 'no more taken',
  );
  const word = (one: boolean): string => (one ? 'ready' : 'not ready');
  const end = `the call under way ${status}, ${isLast ? 'told to go' : 'not told'}`;
  return `${word(before)}, then ${word(after)}; ${during}; then ${end}; ${late}; exit ${await exited}`;
}
