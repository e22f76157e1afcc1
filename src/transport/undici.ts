// The only door to undici: everything in transport/ imports it from here, so that the dispatchers in force before it
// was loaded are known and put back. By file and not by name: Bun answers `undici` with a module of its own, which lacks half of this.
import { restoreGlobalDispatchers } from './before-undici.ts';
// biome-ignore format: the order of these two imports matters
import { Agent, buildConnector, Client, Dispatcher, Dispatcher1Wrapper, FormData, Pool } from 'undici/index.js';

restoreGlobalDispatchers();

export { Agent, buildConnector, Client, Dispatcher, Dispatcher1Wrapper, FormData, Pool };
