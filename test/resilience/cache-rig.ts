// A cache over a leaf that the test plays by hand, on a virtual clock.
import type { Call, Reply, ReplyHeaders } from '../../src/core/call.ts';
import type { Random } from '../../src/core/clock.ts';
import type { Layer } from '../../src/core/service.ts';
import { CACHE_DEFAULTS, type CachePolicy } from '../../src/model/traffic.ts';
import { AnswerCache, loadCacheEngine } from '../../src/resilience/cache.ts';
import { cacheLayer } from '../../src/resilience/cache-layer.ts';
import { type FakeServer, pair, type TestCallInit, testCall } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { startReading } from './read-body.ts';

export interface Got {
  readonly call: Call;
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly text: string;
  /** Whether the service was asked for it. */
  readonly asked: boolean;
}

export interface CacheRig {
  readonly clock: VirtualClock;
  readonly cache: AnswerCache;
  readonly server: FakeServer;
  readonly counted: string[];
  start(init?: TestCallInit): { call: Call; answer: Promise<Reply> };
  /** One call whose answer, if the service is asked, is this; read to its end. */
  get(init?: TestCallInit, played?: Played): Promise<Got>;
}

export interface Played {
  readonly status?: number;
  readonly headers?: ReplyHeaders;
  readonly body?: string;
}

export interface CacheRigOptions {
  readonly policy?: Partial<CachePolicy>;
  readonly random?: Random;
  /** Below the cache. */
  readonly below?: Layer;
}

/** Without jitter unless asked for. */
export async function cacheRig({ policy = {}, random = () => 0, below = (next) => next }: CacheRigOptions = {}): Promise<CacheRig> {
  const clock = new VirtualClock();
  const cache = new AnswerCache({ ...CACHE_DEFAULTS, jitter: 0, ...policy }, { clock, random }, await loadCacheEngine());
  const [leaf, server] = pair({ clock });
  const counted: string[] = [];
  const service = cacheLayer(cache, { onAction: (action) => counted.push(action) })(below(leaf));
  const start: CacheRig['start'] = (init = {}) => {
    const call = testCall({ startedAtMs: clock.now(), ...init });
    const answer = service(call);
    answer.catch(() => {});
    return { call, answer };
  };
  const get: CacheRig['get'] = async (init = {}, { status = 200, headers = {}, body = '' } = {}) => {
    const before = server.seen.length;
    const { call, answer } = start(init);
    await settle();
    const asked = server.seen.length > before;
    const seen = asked ? await server.next() : null;
    const reply = seen?.reply(status, headers);
    if (body !== '') reply?.send(Buffer.from(body));
    const answered = await answer;
    const reading = startReading(answered);
    seen?.end();
    return { call, status: answered.status, headers: answered.headers, text: reading.text, asked };
  };
  return { clock, cache, server, counted, start, get };
}

/** An HTTP date so many seconds from now. */
export function httpDate(clock: VirtualClock, inSeconds = 0): string {
  return new Date(clock.wall() + inSeconds * 1_000).toUTCString();
}
