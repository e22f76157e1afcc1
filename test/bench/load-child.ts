// Prints, as JSON, what it cost this process to load the generated folder with the compiled package; what is loaded with the
// first resource is there before.
import { loadLibraryModule } from './library-module.ts';
import { generatedFolder } from './generated-documents.ts';

const { loadConfig } = await loadLibraryModule<typeof import('../../src/yaml/load.ts')>('yaml/load.js');
const { loadRegex } = await loadLibraryModule<typeof import('../../src/route/regex.ts')>('route/regex.js');
const { check } = await loadRegex();

async function load(texts: ReadonlyMap<string, string>): ReturnType<typeof loadConfig> {
  const readFile = (path: string): Promise<string> => Promise.resolve(texts.get(path) as string);
  return loadConfig([...texts.keys()], { env: {}, cwd: '/', checkRegex: check, readFile });
}

await load(new Map([['/warm-up.yaml', 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [{ port: 80 }] }\n']]));
const { files, documents } = generatedFolder(process.argv[2] === 'odd');
const texts = new Map(files.map(({ name, text }) => [`/${name}`, text]));
const { user, system } = process.cpuUsage();
const start = performance.now();
const result = await load(texts);
const wallMs = performance.now() - start;
const cpu = process.cpuUsage();
const cpuMs = (cpu.user + cpu.system - user - system) / 1_000;
const loaded = 'issues' in result ? { issues: result.issues.slice(0, 3) } : { services: Object.keys(result.config.services).length };
console.log(JSON.stringify({ documents, resources: 'issues' in result ? 0 : result.resources.length, ...loaded, wallMs, cpuMs }));
