// Documents that were written together by others: the conformance and acceptance data beside the checkout, where it is there,
// and the inputs of the golden files, which always are.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportTarget } from '../../../src/yaml/export.ts';
import { loadSuite, manifestsOf } from '../../conformance/gateway-api/suite.ts';
import { readGolden } from '../../golden/golden-file.ts';
import { ROOT } from '../../house/tree.ts';
import { documents, SERVICES } from '../istio/documents.ts';

export interface World {
  readonly name: string;
  readonly text: string;
  /** What most of it is written in. */
  readonly own: ExportTarget;
}

const SHARED = join(ROOT, '../shared');
const GOLDEN = join(ROOT, 'test/golden');

/** Inputs of golden files, by their folder. App Mesh is not written. */
const OWN: Readonly<Record<string, ExportTarget>> = {
  'gateway-api': 'gateway-api',
  istio: 'istio',
  'istio-security': 'istio',
  linkerd: 'linkerd',
  smi: 'smi',
};

export function goldenWorlds(): World[] {
  return Object.entries(OWN).flatMap(([folder, own]) =>
    filesIn(join(GOLDEN, folder), '.md').map((file) => ({
      name: `${folder}/${file}`,
      text: readGolden(join(GOLDEN, folder, file)).input,
      own,
    })),
  );
}

/** Empty where the data does not lie beside the checkout. */
export function sharedWorlds(): World[] {
  return [...gatewayApiWorlds(), ...istioWorlds(), ...acceptanceWorlds()];
}

function gatewayApiWorlds(): World[] {
  const suite = loadSuite();
  if (suite === null) return [];
  const texts = new Map<string, World>();
  for (const test of suite.tests) {
    const [base = '', ...files] = manifestsOf(suite, test);
    if (files.length === 0) continue;
    const name = files.map((file) => file.slice(suite.folder.length)).join(' ');
    texts.set(name, { name, text: documents(...[base, ...files].map((file) => readFileSync(file, 'utf8'))), own: 'gateway-api' });
  }
  return [...texts.values()];
}

function istioWorlds(): World[] {
  const folder = join(SHARED, 'conformance/istio');
  const crds = filesIn(join(folder, 'crds'), '-valid.yaml').flatMap((file) =>
    readFileSync(join(folder, 'crds', file), 'utf8')
      .split(/^---$/m)
      .map((text, i): World => ({ name: `crds/${file} ${i}`, text, own: 'istio' })),
  );
  const read = (path: string, own: ExportTarget): World => ({ name: path, text: readFileSync(join(folder, path), 'utf8'), own });
  return [
    ...crds,
    ...filesIn(join(folder, 'analyze'), '.yaml').map((file) => read(`analyze/${file}`, 'istio')),
    ...filesIn(join(folder, 'gateway-golden'), '.yaml').map((file) => read(`gateway-golden/${file}`, 'gateway-api')),
  ];
}

function acceptanceWorlds(): World[] {
  const folder = join(SHARED, 'acceptance');
  return filesIn(folder, '.yaml').flatMap((file): World[] => {
    const text = readFileSync(join(folder, file), 'utf8');
    const own = file.includes('smi') ? 'smi' : 'istio';
    return [
      { name: file, text, own },
      { name: `services, ${file}`, text: documents(SERVICES, text), own },
    ];
  });
}

function filesIn(folder: string, end: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .sort();
}
