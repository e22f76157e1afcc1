// The source that a configuration asks for.
import type { IdentityConfig } from '../model/config.ts';
import { type FileSourceDeps, fileSource } from './file-source.ts';
import type { IdentitySource } from './identity-source.ts';
import { workloadSource } from './workload-source.ts';

/** Throws an Error with a plain sentence for what can never give an identity. */
export function sourceFrom(config: IdentityConfig, deps: Omit<FileSourceDeps, 'trustDomainAliases'>): IdentitySource {
  const { spiffe, hint, directory, external, cert, key, trustDomainAliases, ...rest } = config;
  const all = { ...deps, trustDomainAliases };
  if (spiffe !== undefined) return workloadSource({ address: spiffe, hint }, all);
  if (directory !== undefined) return fileSource({ ...rest, directory }, all);
  if (external === true) throw new Error('identity is external, but none was handed in: createMesh({ identity })');
  if (cert === undefined || key === undefined) throw new Error('identity needs cert and key, directory, or spiffe');
  return fileSource({ ...rest, cert, key }, all);
}
