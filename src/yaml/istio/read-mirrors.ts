// Copies that a rule sends elsewhere. A share that is not given is all; a share of 0 is none.
// Source: Istio, MirrorPercent, MirrorPercentByPolicy; Envoy `request_mirror_policies`.
import { MIRROR_DEFAULTS } from '../../model/traffic.ts';
import type { MirrorDraft, TargetDraft } from '../draft.ts';
import { BODY_BYTES_MAX } from './read-retries.ts';
import type { DestinationSpec, HttpRouteSpec } from './virtual-service-spec.ts';

/** `target`: the destination as ours; `at`: keys below the rule. */
export function readMirrors(
  spec: HttpRouteSpec,
  target: (destination: DestinationSpec, at: readonly (string | number)[]) => TargetDraft,
): MirrorDraft[] {
  const copies: MirrorDraft[] = [];
  const copy = (to: TargetDraft, percent: number): void => {
    // To the letter: every header is copied, and bodies as far as Envoy keeps them.
    if (percent > 0) copies.push({ ...MIRROR_DEFAULTS, target: to, percent, stripHeaders: [], bodyBytesMax: BODY_BYTES_MAX });
  };
  const { mirror, mirrors = [], mirrorPercentage } = spec;
  if (mirror !== undefined) {
    const old = spec.mirrorPercent ?? spec.mirror_percent;
    copy(target(mirror, ['mirror']), mirrorPercentage === undefined ? (old ?? MIRROR_DEFAULTS.percent) : (mirrorPercentage.value ?? 0));
  }
  for (const [i, { destination, percentage }] of mirrors.entries()) {
    copy(target(destination, ['mirrors', i, 'destination']), percentage === undefined ? MIRROR_DEFAULTS.percent : (percentage.value ?? 0));
  }
  return copies;
}
