// What importing and installing the package does to the dispatchers of the process, in a fresh process. Started by
// process.test.ts; prints one JSON object.
import type * as Inmesh from '../../src/index.ts';
import type * as InmeshUndici from '../../src/undici.ts';

const [mode = '', dist = '', known = '', elsewhere = ''] = process.argv.slice(2);
const SYMBOLS = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map((name) => Symbol.for(name));
const slots = globalThis as unknown as Record<symbol, unknown>;
const inForce = (): unknown[] => SYMBOLS.map((symbol) => slots[symbol]);

interface Agentlike {
  dispatch(options: { origin?: unknown }, handler: unknown): boolean;
}

/** Notes the hosts that pass through it. */
function counting(agent: Agentlike, seen: string[]): Agentlike {
  return Object.assign(Object.create(agent) as Agentlike, {
    dispatch(options: { origin?: unknown }, handler: unknown) {
      seen.push(String(options.origin));
      return agent.dispatch(options, handler);
    },
  });
}

async function load(): Promise<{ mesh: Inmesh.Mesh; install: () => () => void }> {
  const { createMesh } = (await import(new URL('index.js', dist).href)) as typeof Inmesh;
  const { installGlobalDispatcher } = (await import(new URL('undici.js', dist).href)) as typeof InmeshUndici;
  const mesh = await createMesh({ config: { services: { reviews: { endpoints: [known] } } } });
  return { mesh, install: () => installGlobalDispatcher(mesh) };
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

const MODES: Record<string, () => Promise<unknown>> = {
  /** The built-in fetch was there first. */
  async import() {
    await get(`http://${known}/`);
    const before = inForce();
    const { mesh } = await load();
    const after = inForce();
    await mesh.close();
    // A place that nobody had taken may be taken: only undici 8 looks there.
    return before.map((one, i) => one === undefined || one === after[i]);
  },
  /** The package was there first: built-in fetch must still find its own. */
  async first() {
    const { mesh } = await load();
    const { Agent } = await import('undici');
    const answer = await get(`http://${known}/`);
    const legacy = slots[SYMBOLS[0] as symbol];
    await mesh.close();
    return [answer, legacy instanceof Agent, process.versions.node.startsWith('26.') || (legacy as object).constructor.name === 'Agent'];
  },
  /** Installed, used, and taken out again. */
  async install() {
    await get(`http://${known}/`);
    const { mesh, install } = await load();
    const before = inForce();
    const uninstall = install();
    const answers = [await get('http://reviews/'), await get(`http://${elsewhere}/`)];
    uninstall();
    const isBack = inForce().every((one, i) => one === before[i]);
    const unknown = await get('http://reviews/').catch(() => 'unknown');
    await mesh.close();
    return [answers, isBack, unknown];
  },
  /** What the application had put there serves the hosts outside the mesh, and is left alone when put there later. */
  async keep() {
    const undici = await import('undici');
    const [earlier, later]: [string[], string[]] = [[], []];
    undici.setGlobalDispatcher(counting(new undici.Agent(), earlier) as never);
    const { mesh, install } = await load();
    const uninstall = install();
    await get('http://reviews/');
    await get(`http://${elsewhere}/`);
    undici.setGlobalDispatcher(counting(new undici.Agent(), later) as never);
    uninstall();
    await get(`http://${elsewhere}/`);
    await mesh.close();
    return [earlier, later];
  },
  /** The proxy that the environment names serves the hosts outside the mesh. */
  async proxy() {
    const { mesh, install } = await load();
    const uninstall = install();
    const answers = [await get('http://reviews/'), await get('http://outside.test/')];
    uninstall();
    await mesh.close();
    return answers;
  },
  /** The WebSocket of Node itself. */
  async socket() {
    const { mesh, install } = await load();
    const uninstall = install();
    const socket = new WebSocket('ws://reviews/chat');
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    socket.addEventListener('open', () => socket.send('hello'));
    socket.addEventListener('message', ({ data }) => resolve(data));
    socket.addEventListener('error', () => reject(new Error('the socket failed')));
    const said = await promise;
    const closed = new Promise((done) => socket.addEventListener('close', done));
    socket.close();
    await closed;
    uninstall();
    await mesh.close();
    return said;
  },
  /** The loop stands still while answers are on their way. */
  async stall() {
    const { createMesh } = (await import(new URL('index.js', dist).href)) as typeof Inmesh;
    const mesh = await createMesh({
      config: { services: { slow: { endpoints: [known], timeout: 300, retries: false, circuitBreaker: false, outlierDetection: false } } },
    });
    await Promise.all(Array.from({ length: 10 }, () => mesh.fetch('http://slow/warm').then((response) => response.text())));
    const calls = Array.from({ length: 10 }, () =>
      mesh.fetch('http://slow/').then(
        (response) => response.text(),
        (error: Error) => error.message,
      ),
    );
    // In the check phase: the timers are looked at next, before any socket.
    setTimeout(() => setImmediate(() => block(600)), 5);
    const answers = await Promise.all(calls);
    await mesh.close();
    return answers;
  },
};

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

process.stdout.write(`${JSON.stringify(await MODES[mode]?.())}\n`);
