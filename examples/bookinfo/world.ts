// The ten processes of the demo: started, made to fail, killed and restarted here. Each is a fork, known by its
// handle; none outlives this process, because each ends when its channel closes.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Certificates } from './certificates.ts';
import {
  type Counts,
  type Doors,
  type Fault,
  type FromChild,
  type Lane,
  LANES,
  type PlainTargets,
  type SpanRecord,
  type ToChild,
} from './messages.ts';
import { meshFile, type Place, type Weights } from './mesh-file.ts';

interface Member {
  readonly name: string;
  readonly service: string;
  readonly version: string;
  readonly lanes: readonly Lane[];
}

const backend = (name: string, service: string, version: string): Member => ({ name, service, version, lanes: LANES });
const page = (lane: Lane): Member => ({ name: `productpage-${lane}`, service: 'productpage', version: '', lanes: [lane] });

/** Started in this order, so that whoever calls finds an address. */
const STAGES: readonly (readonly Member[])[] = [
  [backend('ratings', 'ratings', ''), backend('details', 'details', '')],
  ['v1-a', 'v1-b', 'v1-c', 'v2-a', 'v2-b', 'v3-a'].map((suffix) => backend(`reviews-${suffix}`, 'reviews', suffix.slice(0, 2))),
  [page('plain'), page('inmesh')],
];

const SERVICES: readonly string[] = [...new Set(STAGES.flat().map(({ service }) => service))];

export type MeshEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

export interface WorldListener {
  spans(spans: readonly SpanRecord[]): void;
  event(process: string, event: MeshEvent): void;
  counts(service: string, counts: Counts): void;
  /** Somebody without a certificate called the mTLS door of a process. */
  strangerCame(process: string, outcome: string): void;
  trespassed(process: string, service: string, answer: string): void;
  /** New certificates lie there for so many processes. */
  issued(processCount: number): void;
  /** A process ended that nobody killed. */
  crashed(name: string, stderr: string): void;
}

interface Running {
  readonly child: ChildProcess;
  readonly doors: Doors;
}

export class World {
  readonly meshFilePath: string;
  readonly certificates: Certificates;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'inmesh-bookinfo-'));
  readonly #listener: WorldListener;
  readonly #running: Map<string, Running> = new Map();
  readonly #expectedExits: Set<ChildProcess> = new Set();
  #weights: Weights = { v1: 80, v2: 20 };

  constructor(listener: WorldListener, certificateLifeMs: number) {
    this.#listener = listener;
    this.meshFilePath = join(this.#folder, 'mesh.yaml');
    this.certificates = new Certificates(join(this.#folder, 'certificates'), certificateLifeMs);
  }

  async start(): Promise<void> {
    this.certificates.issue(SERVICES);
    for (const stage of STAGES) {
      this.#writeMeshFile();
      await Promise.all(stage.map((member) => this.#start(member, { plain: 0, inmesh: 0 })));
    }
  }

  /** Port of the product page of a lane. */
  pagePort(lane: Lane): number {
    return this.#get(`productpage-${lane}`).doors[lane];
  }

  fault(name: string, fault: Fault): void {
    this.#send(name, { type: 'fault', fault });
  }

  kill(name: string): void {
    const { child } = this.#get(name);
    this.#expectedExits.add(child);
    child.kill('SIGKILL');
  }

  /** Starts a killed process again, on the ports that it had. */
  async restart(name: string): Promise<void> {
    const member = STAGES.flat().find((candidate) => candidate.name === name) as Member;
    await this.#start(member, this.#get(name).doors);
  }

  /** Calls the mTLS door of a process as plain code does. */
  async callWithoutCertificate(name: string): Promise<void> {
    const { doors } = this.#get(name);
    const outcome = await fetch(`http://127.0.0.1:${doors.inmesh}/${name}/0`).then(
      ({ status }) => String(status),
      ({ cause }: { cause?: { code?: string } }) => cause?.code ?? 'no answer',
    );
    this.#listener.strangerCame(name, outcome);
  }

  /** Has a process call services that do not let it in. */
  trespass(name: string): void {
    this.#send(name, { type: 'trespass' });
  }

  /** Issues a new certificate to every service. Nobody is told: they watch their folders. */
  rotate(): void {
    this.certificates.issue(SERVICES);
    this.#listener.issued([...this.#running.values()].filter(({ doors }) => doors.inmesh > 0).length);
  }

  /** New shares: mesh.yaml is rewritten, and plain code gets the same by message. */
  setWeights(weights: Weights): void {
    this.#weights = weights;
    this.#writeMeshFile();
    this.#tellPlainTargets();
  }

  /** Name of the process behind an address of either lane. */
  nameOf(address: string): string {
    for (const [name, { doors }] of this.#running) if (LANES.some((lane) => address.endsWith(`:${doors[lane]}`))) return name;
    return address;
  }

  stop(): void {
    for (const { child } of this.#running.values()) {
      this.#expectedExits.add(child);
      if (child.exitCode === null) child.kill('SIGKILL');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #get(name: string): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} was never started`);
    return running;
  }

  #send(name: string, message: ToChild): void {
    const { child } = this.#get(name);
    if (child.connected) child.send(message);
  }

  #start(member: Member, ports: Doors): Promise<void> {
    const { name, service, version, lanes } = member;
    const child = fork(new URL(`${service}.ts`, import.meta.url), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: {
        ...process.env,
        NAME: name,
        SERVICE: service,
        VERSION: version,
        LANES: lanes.join(),
        PORT_plain: String(ports.plain),
        PORT_inmesh: String(ports.inmesh),
        MESH_FILE: this.meshFilePath,
      },
    });
    child.send({ type: 'targets', targets: this.#plainTargets() } satisfies ToChild);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4_096);
    });
    return new Promise((resolve, reject) => {
      child.on('message', (message: FromChild) => {
        if (message.type === 'spans') this.#listener.spans(message.spans);
        else if (message.type === 'event') this.#listener.event(name, message.event);
        else if (message.type === 'counts') this.#listener.counts(service, message.counts);
        else if (message.type === 'trespassed') this.#listener.trespassed(name, message.service, message.answer);
        else {
          this.#running.set(name, { child, doors: message.doors });
          resolve();
        }
      });
      child.on('exit', () => {
        if (this.#expectedExits.has(child)) return;
        this.#listener.crashed(name, stderr);
        reject(new Error(`${name} did not start:\n${stderr}`));
      });
    });
  }

  /** Renamed into place, so that no reader ever sees half a file. */
  #writeMeshFile(): void {
    const draft = `${this.meshFilePath}.draft`;
    writeFileSync(draft, meshFile(this.#places('inmesh'), this.#weights));
    renameSync(draft, this.meshFilePath);
  }

  #tellPlainTargets(): void {
    const targets = this.#plainTargets();
    for (const name of this.#running.keys()) this.#send(name, { type: 'targets', targets });
  }

  #plainTargets(): PlainTargets {
    const addresses: Record<string, string[]> = {};
    for (const [service, places] of Object.entries(this.#places('plain'))) {
      for (const { version, address } of places) (addresses[version === '' ? service : `${service}-${version}`] ??= []).push(address);
    }
    return { addresses, reviewsWeights: this.#weights };
  }

  #places(lane: Lane): Record<string, Place[]> {
    const places: Record<string, Place[]> = {};
    for (const { name, service, version } of STAGES.slice(0, 2).flat()) {
      const running = this.#running.get(name);
      if (running === undefined) continue;
      (places[service] ??= []).push({ name, version, address: `127.0.0.1:${running.doors[lane]}` });
    }
    return places;
  }
}
