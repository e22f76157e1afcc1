// The port of an analyzer: looks at all documents and at the configuration that came of them, and says what it finds.
// Pure; asks no file, no clock and no network, and never throws.
import type { MeshConfig } from '../../model/config.ts';
import type { ConfigPath, PathPart } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';
import type { World } from '../world.ts';
import type { Findings } from './findings.ts';
import type { HostIndex } from './host-index.ts';
import type { Way } from './ways.ts';
import type { WorkloadIndex } from './workload-index.ts';

export interface Scene {
  /** All documents with apiVersion and kind, those that are passed over or could not be read included. */
  readonly world: World;
  readonly config: MeshConfig;
  /** Where a piece of the concise form was written, or what should hold it. */
  readonly at: (path: ConfigPath, part?: PathPart) => SourcePosition | undefined;
  /** Whether the documents are all that there is, so that a workload or namespace which is not among them does not exist. */
  readonly isWhole: boolean;
  readonly hosts: HostIndex;
  readonly workloads: WorkloadIndex;
  /** All ways that a call can go. */
  readonly ways: readonly Way[];
}

export type Analyzer = (scene: Scene, findings: Findings) => void;
