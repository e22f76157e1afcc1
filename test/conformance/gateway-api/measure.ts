// What some tests do beyond their cases: shares of many requests, copies that must arrive, a WebSocket. Each says null, or
// what is wrong.
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'undici';
import { seededRandom } from '../../support/seeded-random.ts';
import { type Answer, type Ask, ask, askOf, type Door } from './ask.ts';
import { fault } from './compare.ts';
import { type Pod, wait } from './echo-pod.ts';
import type { Custom, SuiteCase } from './suite.ts';

export interface Measured extends Door {
  /** Asked when the case names no host. */
  readonly host: string;
  readonly isMesh: boolean;
  readonly pods: readonly Pod[];
}

const REQUEST_ID = 'gateway-api-conformance-request-id';
const ENTROPY_MAX = 10_000;

function withId(path: string, id: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${REQUEST_ID}=${id}`;
}

function backendOf(pod: string | undefined): string {
  return (pod ?? '').split('-').slice(0, -2).join('-');
}

/** `run` many times, some at once. */
async function times(count: number, atOnce: number, run: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Shares of the backends. A canary is told from chance by its seed: half of the calls carry a header that means nothing. */
export async function weightsFault(one: SuiteCase, custom: Custom, measured: Measured): Promise<string | null> {
  const { weights = {}, requests = 500, tolerance = 0.05, concurrency = 10 } = custom;
  const asked = askOf(one, measured.host, measured.isMesh);
  const random = seededRandom(11);
  const counts = new Map<string, number>();
  const faults: string[] = [];
  await times(requests, concurrency, async () => {
    const entropy: Record<string, string> = random() < 0.5 ? { 'x-jitter': String(Math.floor(random() * ENTROPY_MAX)) } : {};
    const request: Ask = { ...asked, headers: { ...asked.headers, ...entropy } };
    const answer = await ask(measured, request);
    const wrong = fault(one, request, answer);
    if (wrong !== null) faults.push(wrong);
    const backend = backendOf(answer.echoed?.pod);
    counts.set(backend, (counts.get(backend) ?? 0) + 1);
  });
  if (faults[0] !== undefined) return `${faults.length} of ${requests} failed: ${faults[0]}`;
  const wanted = Object.entries(weights).filter(([, weight]) => weight > 0);
  if (counts.size !== wanted.length) return `answers of ${[...counts.keys()].join(', ')}`;
  for (const [backend, weight] of wanted) {
    const share = (counts.get(backend) ?? 0) / requests;
    if (Math.abs(share - weight) > tolerance) return `${backend} has a share of ${share}, not ${weight}`;
  }
  return null;
}

/** Each share has its own header: what arrives must say who it was meant for. */
export async function shareHeaderFault(one: SuiteCase, custom: Custom, measured: Measured): Promise<string | null> {
  const { header = '', requests = 100 } = custom;
  const asked = askOf(one, measured.host, measured.isMesh);
  for (let i = 0; i < requests; i++) {
    const answer = await ask(measured, asked);
    const [value, ...more] = answer.echoed?.headers?.[header] ?? [];
    if (value === undefined || more.length > 0 || !answer.echoed?.pod?.startsWith(value)) {
      return `${answer.echoed?.pod} was sent ${header}: ${[value, ...more].join(',')}`;
    }
  }
  return null;
}

const MIRROR_MS_MAX = 2_000;
const POLL_MS = 5;

/** All mirrors of the case have seen the call. */
export async function mirrorFault(one: SuiteCase, measured: Measured): Promise<string | null> {
  const id = randomUUID();
  const path = withId(one.request.path ?? '/', id);
  const asked: Ask = { ...askOf(one, measured.host, measured.isMesh), path };
  const seen = one.expected.expectedRequest;
  const expected = { ...one.expected, ...(seen === undefined ? {} : { expectedRequest: { ...seen, path } }) };
  const wrong = fault({ ...one, expected }, asked, await ask(measured, asked));
  if (wrong !== null) return wrong;
  for (const { name, namespace } of one.expected.mirroredTo ?? []) {
    const pods = measured.pods.filter((pod) => pod.namespace === namespace && pod.name.startsWith(name));
    let waited = 0;
    while (!pods.some((pod) => pod.seen.some((target) => target.includes(id)))) {
      if (waited >= MIRROR_MS_MAX) return `${name} got no copy`;
      await wait(POLL_MS);
      waited += POLL_MS;
    }
  }
  return null;
}

/** As many copies as the percentage says, three standard deviations wide. */
export async function mirrorShareFault(one: SuiteCase, custom: Custom, measured: Measured): Promise<string | null> {
  const band = custom.bands?.find(({ path }) => path === one.request.path);
  if (band === undefined) return 'the suite has no band for this path';
  const id = randomUUID();
  const asked: Ask = { ...askOf(one, measured.host, measured.isMesh), path: withId(one.request.path ?? '/', id) };
  await times(custom.requests ?? 500, custom.concurrency ?? 10, async () => {
    await ask(measured, asked);
  });
  await wait(POLL_MS * 20);
  const pods = measured.pods.filter(({ name }) => name.startsWith(band.backend));
  const copies = pods.reduce((sum, { seen }) => sum + seen.filter((target) => target.includes(id)).length, 0);
  return copies >= band.min && copies <= band.max ? null : `${copies} copies, not ${Math.ceil(band.min)} to ${Math.floor(band.max)}`;
}

/** Frames come back as they were sent. */
export async function webSocketFault(
  { frames = [], consecutiveSuccesses = 1 }: Custom,
  { dispatcher, host }: Measured,
): Promise<string | null> {
  for (let i = 0; i < consecutiveSuccesses; i++) {
    const socket = new WebSocket(`ws://${host}/ws`, { dispatcher, headers: { origin: 'ws://gateway/conformance' } });
    socket.binaryType = 'arraybuffer';
    const failed = new Promise<string>((resolve) => socket.addEventListener('error', ({ message }) => resolve(message || 'no connection')));
    const played = (async (): Promise<string | null> => {
      await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
      for (const { type, data } of frames) {
        const sent = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data);
        const answered = new Promise<unknown>((resolve) =>
          socket.addEventListener('message', (event) => resolve(event.data), { once: true }),
        );
        socket.send(type === 'text' ? sent.toString() : sent);
        const back = await answered;
        const bytes = typeof back === 'string' ? Buffer.from(back) : Buffer.from(back as ArrayBuffer);
        if (!bytes.equals(sent)) return `a frame came back changed: ${bytes.toString('latin1')}`;
      }
      return null;
    })();
    const result = await Promise.race([failed, played]);
    socket.close();
    if (result !== null) return result;
  }
  return null;
}

/** What a case of this kind needs in a row. */
export async function repeatedFault(one: SuiteCase, measured: Measured, count: number): Promise<string | null> {
  for (let i = 0; i < count; i++) {
    const filled: SuiteCase = { ...one, request: { ...one.request, path: (one.request.path ?? '/').replace('{uuid}', randomUUID()) } };
    const asked = askOf(filled, measured.host, measured.isMesh);
    let answer: Answer;
    try {
      answer = await ask(measured, asked);
    } catch (error) {
      return `no answer: ${(error as Error).message}`;
    }
    const wrong = fault(filled, asked, answer);
    if (wrong !== null) return wrong;
  }
  return null;
}
