import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Body, Call, Reply } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import { MIRROR_DEFAULTS, type MirrorPolicy } from '../../src/model/traffic.ts';
import { failingTarget } from '../../src/route/failing-target.ts';
import { mirrorLayer, type MirrorTarget } from '../../src/route/mirror-layer.ts';
import { Mirrors } from '../../src/route/mirrors.ts';
import { type FakeServer, pair, type TestCallInit, testCall, testError } from '../support/fake-service.ts';
import { scriptedRandom } from '../support/seeded-random.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

/** A body that counts who holds it. */
class CountedBody implements Body {
  readonly length: number;
  readonly replayable = true;
  readonly failure: unknown = undefined;
  readonly log: string[];
  readonly #name: string;
  constructor(length: number, log: string[] = [], name = 'first') {
    this.length = length;
    this.log = log;
    this.#name = name;
  }
  open(): unknown {
    this.log.push(`${this.#name} opened`);
    return 'x'.repeat(Math.max(0, this.length));
  }
  release(): void {
    this.log.push(`${this.#name} released`);
  }
  copy(): Body {
    return new CountedBody(this.length, this.log, 'copy');
  }
}

interface Options {
  readonly policies?: Partial<MirrorPolicy>[];
  readonly activeMax?: number;
  readonly chances?: number[];
  readonly copyOf?: (body: Body) => Body | null;
  readonly send?: Service;
}

/** A main leaf and one leaf for all mirrors, both played by hand. */
function rig(options: Options = {}) {
  const clock = new VirtualClock();
  const [leaf, main] = pair({ clock });
  const [mirrorLeaf, mirror] = pair({ clock });
  const told: string[] = [];
  const mirrors = new Mirrors({ activeMax: options.activeMax, onAction: (action) => told.push(action) });
  const targets = (options.policies ?? [{}]).map((policy, i): MirrorTarget => {
    const target = { service: `shadow${i}`, weight: 1 };
    const send = options.send ?? mirrorLeaf;
    return {
      policy: { ...MIRROR_DEFAULTS, target, ...policy },
      destination: { service: `shadow${i}`, subset: '', name: `shadow${i}` },
      send,
    };
  });
  const copyOf = options.copyOf ?? ((body: Body) => (body as CountedBody).copy());
  const layer = mirrorLayer(targets, { clock, random: scriptedRandom(...(options.chances ?? [0])), mirrors, copyOf });
  const service = layer(leaf);
  const send = (init: TestCallInit = {}) => {
    const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 1_000, ...init });
    const answer = service(call);
    answer.catch(() => {});
    return { call, answer };
  };
  return { clock, main, mirror, mirrors, told, send, layer };
}

const copyIn = (mirror: FakeServer, at = 0): Call => mirror.seen[at]?.call as Call;

describe('mirrorLayer: the copy', () => {
  it('is a call of its own, sent after the first was passed on', () => {
    const order: string[] = [];
    const { clock, main, mirror, send, told, mirrors } = rig({
      send: (copy) => (order.push(`mirror ${copy.authority}`), new Promise<Reply>(() => {})),
    });
    const { call } = send({ path: '/a?b', method: 'DELETE', headers: ['a', 'b'] });
    expect([order, main.seen.length, mirror.seen.length]).toEqual([['mirror reviews-shadow'], 1, 0]);
    expect(main.seen[0]?.call).toBe(call);
    expect([told, mirrors.active, mirrors.sent, clock.armed]).toEqual([['mirror.sent'], 1, 1, 1]);
  });

  it('carries method, path, headers and deadline, and the name of its destination', () => {
    const { mirror, send } = rig();
    const { call } = send({ path: '/a?b', method: 'DELETE', headers: ['a', 'b'] });
    expect(copyIn(mirror)).toMatchObject({
      method: 'DELETE',
      path: '/a?b',
      scheme: 'http',
      authority: 'reviews-shadow',
      headers: ['a', 'b'],
      deadlineMs: 2_000,
      parent: null,
      attempt: 0,
      idempotent: false,
      criticality: 0,
      route: call.route,
      destination: { name: 'shadow0' },
    });
  });

  // Source: Envoy: the suffix stands before the port.
  it.each([
    ['reviews', '-shadow', 'reviews-shadow'],
    ['reviews:8080', '-shadow', 'reviews-shadow:8080'],
    ['reviews.default.svc', '-shadow', 'reviews.default.svc-shadow'],
    ['reviews:8080', '', 'reviews:8080'],
    ['[::1]:8080', '-shadow', '[::1]:8080'],
  ])('host %s with suffix %j: %s', (authority, hostSuffix, expected) => {
    const { mirror, send } = rig({ policies: [{ hostSuffix }] });
    send({ authority });
    expect(copyIn(mirror).authority).toBe(expected);
  });

  it('leaves credentials behind, and the sampling of the trace', () => {
    const { mirror, main, send } = rig();
    const headers = ['Authorization', 's3cret', 'x-a', '1', 'cookie', 'a=b', 'Proxy-Authorization', 'x', 'X-Api-Key', 'k'];
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
    send({ headers: [...headers, 'Traceparent', `${trace}-01`] });
    expect(copyIn(mirror).headers).toEqual(['x-a', '1', 'Traceparent', `${trace}-00`]);
    expect(main.seen[0]?.call.headers).toEqual([...headers, 'Traceparent', `${trace}-01`]);
  });

  it('leaves behind what the rule says, and nothing else', () => {
    const { mirror, send } = rig({ policies: [{ stripHeaders: ['x-a'] }] });
    send({ headers: ['authorization', 's3cret', 'X-A', '1', 'traceparent', 'odd'] });
    expect(copyIn(mirror).headers).toEqual(['authorization', 's3cret', 'traceparent', 'odd']);
  });

  it('of a call without a deadline has one all the same', () => {
    const { mirror, send } = rig();
    send({ deadlineMs: Number.POSITIVE_INFINITY });
    expect(copyIn(mirror).deadlineMs).toBe(31_000);
  });
});

describe('mirrorLayer: which calls', () => {
  it.each([
    [0, 0, 0],
    [20, 0.199, 1],
    [20, 0.2, 0],
    [100, 0.999, 1],
  ])('%i percent, chance %d: %i copies', (percent, chance, copies) => {
    const { mirror, send, mirrors } = rig({ policies: [{ percent }], chances: [chance] });
    send();
    expect([mirror.seen.length, mirrors.dropped]).toEqual([copies, 0]);
  });

  it('each mirror draws for itself', () => {
    const { mirror, send } = rig({ policies: [{ percent: 50 }, { percent: 50 }, { percent: 50 }], chances: [0.1, 0.9, 0.1] });
    send();
    expect(mirror.seen.map(({ call }) => call.destination?.name)).toEqual(['shadow0', 'shadow2']);
  });

  it.each([
    ['the target that it is of', 'reviews', 'v1', 1],
    ['another subset', 'reviews', 'v2', 0],
    ['the service as a whole', 'reviews', '', 0],
    ['another service', 'ratings', 'v1', 0],
  ])('drawn for %s: %s %s', (_name, service, subset, copies) => {
    const { layer, mirror, mirrors } = rig({ policies: [{ of: { service: 'reviews', subset: 'v1' } }] });
    void layer((call) => {
      call.destination = { service, subset, name: service };
      return new Promise<Reply>(() => {});
    })(testCall());
    expect([mirror.seen.length, mirrors.dropped]).toEqual([copies, 0]);
  });

  it('of a target are not those of a failing one that stands in its place', () => {
    const { layer, mirror, clock } = rig({ policies: [{ of: { service: 'reviews' } }] });
    const failing = failingTarget({ status: 500, flag: 'NC', reason: 'nobody' }, clock);
    void layer((call) => {
      call.destination = { service: 'reviews', subset: '', name: 'reviews' };
      return failing(call);
    })(testCall());
    expect(mirror.seen.length).toBe(0);
  });

  it('not an upgrade, not what was refused on the spot', () => {
    const { mirror, layer, clock, mirrors } = rig();
    const upgrade = testCall();
    upgrade.upgrade = 'websocket';
    void layer(() => new Promise<Reply>(() => {}))(upgrade);
    const refused = testCall();
    const error = testError('deadline_exceeded');
    const refusing: Service = (call) => {
      call.end({ kind: 'failure', status: 0, error, endedAtMs: clock.now() });
      return Promise.reject(error);
    };
    layer(refusing)(refused).catch(() => {});
    expect([mirror.seen.length, mirrors.sent, mirrors.dropped]).toEqual([0, 0, 0]);
  });

  it('beyond the bound copies are dropped and counted, until one has ended', async () => {
    const { mirror, send, mirrors, told } = rig({ activeMax: 2 });
    for (let i = 0; i < 3; i++) send();
    expect([mirror.seen.length, mirrors.active, mirrors.dropped, told.at(-1)]).toEqual([2, 2, 1, 'mirror.dropped']);
    mirror.seen[0]?.fail(testError('connection_lost'));
    await settle();
    send();
    expect([mirror.seen.length, mirrors.active, mirrors.dropped]).toEqual([3, 2, 1]);
  });
});

describe('mirrorLayer: bodies', () => {
  it.each([
    ['within the cap', 10, 10, 1],
    ['beyond the cap', 11, 10, 0],
    ['of unknown length', -1, 10, 0],
  ])('%s', (_name, length, bodyBytesMax, copies) => {
    const { mirror, send, mirrors } = rig({ policies: [{ bodyBytesMax }] });
    const body = new CountedBody(length);
    const { call } = send({ method: 'POST', body });
    expect([mirror.seen.length, mirrors.dropped]).toEqual([copies, 1 - copies]);
    if (copies === 0) return;
    expect(copyIn(mirror).body).not.toBe(call.body);
    expect(copyIn(mirror).body?.open()).toBe('x'.repeat(10));
  });

  it('that cannot be had beside the first is not copied', () => {
    const { mirror, send, mirrors } = rig({ copyOf: () => null });
    send({ method: 'POST', body: new CountedBody(5) });
    expect([mirror.seen.length, mirrors.dropped]).toEqual([0, 1]);
  });

  it('each is released when its own call has ended', async () => {
    const { mirror, main, send } = rig();
    const body = new CountedBody(5);
    const { call } = send({ method: 'POST', body });
    call.onEnd(() => body.release());
    main.seen[0]?.reply(200).end();
    expect(body.log).toEqual(['first released']);
    mirror.seen[0]?.reply(200);
    await settle();
    expect(body.log).toEqual(['first released', 'copy released']);
  });
});

describe('mirrorLayer: the first call never notices', () => {
  it('the answer of a mirror is thrown away', async () => {
    const { mirror, send, mirrors, clock } = rig();
    send();
    const reply = mirror.seen[0]?.reply(200);
    await settle();
    expect([reply?.log, copyIn(mirror).outcome?.status, mirrors.active, clock.armed]).toEqual([['discard'], 200, 0, 1]);
  });

  it.each<[string, Service]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects and ends nothing', () => Promise.reject(new Error('broken'))],
    [
      'gives a reply that cannot be discarded',
      () =>
        Promise.resolve({
          discard: () => {
            throw new Error('broken');
          },
        } as unknown as Reply),
    ],
  ])('a mirror that %s leaves nothing open', async (_name, service) => {
    const { main, send, mirrors } = rig({ send: service });
    const { answer } = send();
    const reply = main.seen[0]?.reply(200);
    expect(await answer).toBe(reply);
    await settle();
    expect([mirrors.active, mirrors.sent]).toEqual([0, 1]);
  });

  it('the abort of the caller does not reach the copy, nor the end of the copy the call', async () => {
    const { main, mirror, send, clock } = rig();
    const { call, answer } = send();
    call.cancel('enough');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    expect(copyIn(mirror)).toMatchObject({ canceled: false, outcome: null });
    await clock.run(1_000);
    expect(copyIn(mirror).outcome).toMatchObject({ error: { code: 'deadline_exceeded' } });
    expect([main.seen.length, clock.armed]).toEqual([1, 0]);
  });

  /** What happens, in any order: to the call itself and to its copies. */
  const STEPS = ['head', 'end', 'fail', 'cancel', 'mirror head', 'mirror end', 'mirror fail', 'wait'] as const;
  const HEADERS = ['cookie', 'a', 'b', 'c'];

  async function play(steps: readonly (typeof STEPS)[number][], policies: Partial<MirrorPolicy>[]) {
    const { clock, main, mirror, send, mirrors } = rig({ policies, activeMax: 1 });
    const log: string[] = [];
    const { call, answer } = send({ headers: HEADERS, body: new CountedBody(3), method: 'PUT' });
    call.onEnd((_call, { kind, status, error, endedAtMs }) => log.push(`end ${kind} ${status} ${error?.code} ${endedAtMs}`));
    answer.then(
      (reply) => log.push(`reply ${reply.status} ${clock.now()}`),
      (error: { code: string }) => log.push(`error ${error.code} ${clock.now()}`),
    );
    for (const step of steps) {
      const isMirror = step.startsWith('mirror');
      const one = isMirror ? mirror.seen[0] : main.seen[0];
      const isOpen = one !== undefined && one.call.outcome === null;
      if (step === 'wait') await clock.run(300);
      else if (step === 'cancel') call.cancel('enough');
      else if (isOpen && step.endsWith('head') && one.call.headAtMs === 0) one.reply(isMirror ? 500 : 201);
      else if (isOpen && step.endsWith('end') && one.call.headAtMs > 0) one.end();
      else if (isOpen && step.endsWith('fail')) one.fail(testError('connection_lost'));
      await settle();
    }
    await clock.run(5_000);
    return { log, mirrors, main, mirror, armed: clock.armed };
  }

  it('property: whatever happens to the mirrors, in whatever order, the outcome is the same as without them', async () => {
    const steps = fc.array(fc.constantFrom(...STEPS), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (played, count) => {
        const without = await play(
          played.filter((step) => !step.startsWith('mirror')),
          [],
        );
        const withMirrors = await play(
          played,
          Array.from({ length: count }, () => ({})),
        );
        expect(withMirrors.log).toEqual(without.log);
        expect(withMirrors.log.length).toBeGreaterThan(0);
        expect(withMirrors.main.seen[0]?.call.headers).toBe(HEADERS);
        expect([withMirrors.mirrors.active, withMirrors.armed, withMirrors.mirrors.sent]).toEqual([0, 0, 1]);
        expect(withMirrors.mirror.seen).toHaveLength(1);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
