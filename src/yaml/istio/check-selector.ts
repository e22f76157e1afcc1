// A selector of workloads. Source: istio/istio pkg/config/validation, ValidateAlphaWorkloadSelector.
import type { Report } from '../../model/report.ts';
import type { SelectorSpec } from './registry-spec.ts';

/** `meaning`: what a selector without labels comes to. */
export function checkSelector({ labels = {} }: SelectorSpec, meaning: string, report: Report): void {
  const path = ['spec', 'workloadSelector'];
  for (const [key, value] of Object.entries(labels)) {
    if (`${key}${value}`.includes('*')) report.error([...path, 'labels', key], 'a selector has no wildcard');
  }
  if (Object.keys(labels).length === 0) report.warn(path, `workloadSelector names no labels, so ${meaning}`, { part: 'key' });
}
