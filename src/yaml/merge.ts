// Many documents, one configuration: services by name, sections key by key, everything else once. Order does not matter;
// what stands twice is an issue that names both places. Remembers which document each piece came from.
import { dirname, resolve } from 'node:path';
import type { ConfigIssue, ConfigPath, PathPart } from '../model/issue.ts';
import type { MeshInput } from '../model/input.ts';
import type { SourcePosition } from '../model/route.ts';
import type { SourceText } from './frame.ts';
import { positionAt } from './frame.ts';
import type { Environment } from './interpolate.ts';
import type { Located } from './located.ts';
import { offsetOf } from './located.ts';
import { rawText, toValue } from './value.ts';

/** One document of one file. */
export interface ConfigDocument {
  readonly source: SourceText;
  /** Absolute path of the file: what the paths in it are relative to. */
  readonly path: string;
  readonly root: Located;
  /** One of several in a list, so that its text is part of another document's. */
  readonly isItem?: boolean;
}

export interface MergedDocuments {
  readonly input: MeshInput;
  readonly issues: readonly ConfigIssue[];
  /** Paths about which enough has been said. */
  readonly faulty: ReadonlySet<string>;
  at(path: ConfigPath, part: PathPart): SourcePosition | undefined;
  raw(path: ConfigPath): string | undefined;
}

type Mapping = Record<string, unknown>;

/** Sections whose keys may be spread over documents. */
const SECTIONS: ReadonlySet<string> = new Set(['self', 'identity', 'defaults', 'services', 'inbound', 'telemetry']);

export function mergeDocuments(documents: readonly ConfigDocument[], env: Environment): MergedDocuments {
  const input = Object.create(null) as Mapping;
  const owners = new Map<string, ConfigDocument>();
  const issues: ConfigIssue[] = [];
  const faulty = new Set<string>();
  const complain = (document: ConfigDocument, path: ConfigPath, part: PathPart, message: string): void => {
    faulty.add(pathKey(path));
    issues.push({ severity: 'error', path, message, position: place(document, path, part) });
  };

  const put = (into: Mapping, document: ConfigDocument, path: ConfigPath, value: unknown): void => {
    const key = String(path.at(-1));
    const owner = owners.get(pathKey(path));
    if (Object.hasOwn(into, key)) {
      const { file, line, column } = place(owner as ConfigDocument, path, 'key');
      const what = path[0] === 'services' && path.length === 2 ? `service "${key}"` : path.join('.');
      complain(document, path, 'key', `${what} stands twice, first at ${file}:${line}:${column}; keep one`);
      return;
    }
    into[key] = value;
    owners.set(pathKey(path), document);
  };

  for (const document of documents) {
    const value = toValue(document.root, env, (path, message) => complain(document, path, 'value', message));
    if (!isMapping(value)) {
      complain(document, [], 'value', 'a configuration is a mapping with services, defaults and so on');
      continue;
    }
    anchorPaths(value, dirname(document.path));
    for (const [key, own] of Object.entries(value)) {
      if (!SECTIONS.has(key) || !isMapping(own) || (Object.hasOwn(input, key) && !isMapping(input[key]))) put(input, document, [key], own);
      else {
        if (!Object.hasOwn(input, key)) put(input, document, [key], Object.create(null));
        for (const [name, inner] of Object.entries(own)) put(input[key] as Mapping, document, [key, name], inner);
      }
    }
  }

  const ownerOf = (path: ConfigPath): ConfigDocument | undefined =>
    owners.get(pathKey(path.slice(0, 2))) ?? owners.get(pathKey(path.slice(0, 1))) ?? documents[0];
  return {
    input: input as MeshInput,
    issues,
    faulty,
    at: (path, part) => {
      const owner = ownerOf(path);
      return owner === undefined ? undefined : place(owner, path, part);
    },
    raw: (path) => {
      const owner = ownerOf(path);
      return owner === undefined ? undefined : rawText(owner.root, path);
    },
  };
}

export function pathKey(path: ConfigPath): string {
  return JSON.stringify(path);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function place({ source, root }: ConfigDocument, path: ConfigPath, part: PathPart): SourcePosition {
  return positionAt(source, offsetOf(root, path, part));
}

/** Relative paths mean the folder of the file they stand in, wherever the process was started. */
function anchorPaths(input: Mapping, folder: string): void {
  const anchor = (holder: unknown, keys: readonly string[]): void => {
    if (!isMapping(holder)) return;
    for (const key of keys) {
      const value = holder[key];
      if (typeof value === 'string' && value !== '' && !value.includes('-----BEGIN ')) holder[key] = resolve(folder, value);
    }
  };
  const certificates = ['cert', 'key', 'ca'];
  anchor(input.identity, [...certificates, 'directory', 'bundleMap', 'crl']);
  const bundles = isMapping(input.identity) ? input.identity.bundles : undefined;
  if (isMapping(bundles)) anchor(bundles, Object.keys(bundles));
  if (isMapping(input.defaults)) anchor(input.defaults.tls, certificates);
  for (const service of isMapping(input.services) ? Object.values(input.services) : []) {
    if (!isMapping(service)) continue;
    anchor(service, ['endpointsFile', 'grpcServiceConfig']);
    anchor(service.tls, certificates);
  }
}
