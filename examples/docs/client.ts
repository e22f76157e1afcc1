// Every policy that a client can be given, and what else a client can do.
import {
  canary,
  circuitBreaker,
  createClient,
  limits,
  loadBalancer,
  mtls,
  outlierDetection,
  type Policy,
  retry,
  retryBudget,
  timeout,
} from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const one = await tinyServer(text('v1'));
const two = await tinyServer(text('v2'));

// #region policies
const policies: Policy[] = [
  timeout('2s'),
  retry({ attempts: 2, perTryTimeout: '500ms' }), // retry(false): none
  retryBudget({ tokens: 20, perSuccess: 0.2, perSecond: 0.1 }),
  circuitBreaker({ failureRatio: 0.7, window: '5s' }), // circuitBreaker(false): none
  outlierDetection({ consecutiveErrors: 5 }), // outlierDetection(false): none
  loadBalancer('leastRequest'),
  limits({ maxRequests: 200 }),
  canary({ v1: 90, v2: 10 }),
];
const secure: Policy = mtls({ cert: 'certs/tls.crt', key: 'certs/tls.key', ca: 'certs/ca.crt' });
// #endregion
console.log(`${[...policies, secure].map(({ name }) => name).join(', ')}`);

// #region use
const reviews = createClient('http://reviews.internal', {
  endpoints: { v1: [one.address], v2: [two.address] }, // each key is a subset
  policies,
});

const response = await reviews.fetch('/api/1', { mesh: { timeout: '300ms' } });
console.log(response.status, await response.text());

const { targets } = await reviews.explain('/api/1');
console.log(targets);

const mesh = await reviews.mesh; // dispatcher, call, use, events, isolate
mesh.events.addEventListener('circuitOpened', ({ detail }) => console.warn(detail.reason));

await reviews.close(); // or: await using reviews = createClient(…)
// #endregion
one.close();
two.close();
