// Streams through the mesh, the long forms.
import { streamChecks } from './stream-checks.ts';

streamChecks([
  ['10,000 small messages', 10_000, 8],
  ['500 messages of 64 KiB', 500, 65_536],
]);
