// The same calls through inmesh: a name instead of an address, and no policy in the code. It all stands in mesh.yaml.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createMesh } from 'inmesh';
import { createServer } from 'inmesh/server';
import { tell } from './messages.ts';
import { startTelemetry, traced } from './telemetry.ts';
import type { Answer, Wires } from './wires.ts';

/** What the demo's table shows of a call, noted by two layers of our own. */
interface Notes {
  drawn: string;
  attempts: number;
}

export async function inmeshLane(): Promise<Wires> {
  startTelemetry();
  const mesh = await createMesh({ config: process.env['MESH_FILE'] as string });
  for (const type of ['endpointEjected', 'endpointReturned', 'circuitOpened', 'circuitClosed', 'configLoaded', 'configRejected'] as const) {
    mesh.events.addEventListener(type, (event) => tell({ type: 'event', event: event.detail }));
  }

  const notes = new AsyncLocalStorage<Notes>();
  mesh.use(
    (next) => (call) => {
      const note = notes.getStore();
      if (note !== undefined) note.drawn = call.destination?.subset ?? '';
      return next(call);
    },
    { role: 'note-draw', above: 'retry' },
  );
  mesh.use(
    (next) => (call) => {
      const note = notes.getStore();
      if (note !== undefined) note.attempts++;
      return next(call);
    },
    { role: 'note-attempt', below: 'retry' },
  );

  return {
    async get(service, path, userAgent): Promise<Answer> {
      const note: Notes = { drawn: '', attempts: 0 };
      const response = await notes.run(note, () => mesh.fetch(`http://${service}${path}`, { headers: { 'user-agent': userAgent } }));
      return { status: response.status, body: await response.json(), drawn: note.drawn, retries: note.attempts - 1 };
    },
    createServer: (listener) => createServer(mesh, traced(listener)),
  };
}
