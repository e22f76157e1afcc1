// One line of `inmesh check`, wherever it comes from.
import type { SourcePosition } from '../model/route.ts';
import type { CodeName } from '../yaml/analyze/code.ts';
import type { Status } from './paint.ts';

/** Headings, in the order they are printed. */
export const CHECK_GROUPS = [
  'configuration',
  'services',
  'kubernetes',
  'istio',
  'gateway-api',
  'smi',
  'linkerd',
  'app-mesh',
  'routing',
  'resilience',
  'security',
  'endpoint files',
  'certificates',
] as const;

export type CheckGroup = (typeof CHECK_GROUPS)[number];

/** info: worth knowing, and never a reason to fail unless that is asked for. */
export type CheckStatus = Status | 'info';

export interface CheckFinding {
  readonly group: CheckGroup;
  readonly status: CheckStatus;
  readonly code?: CodeName;
  /** One sentence, without the place. */
  readonly message: string;
  /** One line. */
  readonly fix?: string;
  readonly position?: SourcePosition;
  readonly frame?: string;
  /** Endpoints found in a file. */
  readonly endpoints?: number;
}
