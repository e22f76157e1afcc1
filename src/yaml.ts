// `inmesh/yaml`: configurations as data, without a running mesh: read, compared, and written in the words of other meshes.
export { type LoadConfigOptions, loadConfig } from './mesh/load-config.ts';
export type { MeshConfig } from './model/config.ts';
export type { ConfigIssue } from './model/issue.ts';
export { type Difference, diffConfigs } from './yaml/diff.ts';
export { EXPORT_TARGETS, type Exported, exportConfig, type ExportedDocument, type ExportTarget } from './yaml/export.ts';
export { type Imported, importConfig } from './yaml/import.ts';
export type { LoadedConfig, LoadResult } from './yaml/load.ts';
export type { Loss, Verdict } from './yaml/losses.ts';
