// First step of `npm start` and `npm test`: installs what package-lock.json names, when it is not there yet, and makes sure
// that the scripts after it run on the project's own Node. Runs on Node 18 and later with nothing installed, prints nothing
// and takes no time when nothing is to be done.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.inmesh-setup');
const IS_WINDOWS = process.platform === 'win32';
const OWN_NODE = join(MODULES, 'node', 'bin', IS_WINDOWS ? 'node.exe' : 'node');
const NODE_MIN = [22, 19];
const QUIET_MS = 2_000;

const isTerminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI;
const isColored = isTerminal && !process.env.NO_COLOR;

async function setUp() {
  const wanted = stamp();
  if (readOrEmpty(STAMP) === wanted && (existsSync(OWN_NODE) || isRecent(process.versions.node))) return 0;
  if (isInstalled() && checkNode() === null) {
    writeFileSync(STAMP, wanted);
    return 0;
  }
  if (IS_WINDOWS && existsSync(OWN_NODE) && process.execPath.startsWith(MODULES + sep)) {
    return fail('The dependencies changed, and Windows cannot replace the Node that this script runs on.', 'Run once: npm ci');
  }
  const started = Date.now();
  const { code, output } = await install();
  if (code !== 0) return failInstall(code, output);
  const problem = checkNode();
  if (problem !== null) return fail(...problem);
  mkdirSync(MODULES, { recursive: true });
  writeFileSync(STAMP, wanted);
  const took = Date.now() - started;
  if (took > QUIET_MS) say(`inmesh: dependencies installed in ${Math.round(took / 1_000)} s`);
  return 0;
}

/** Changes when other packages, or the same for another machine, are wanted. */
function stamp() {
  const hash = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

/** Whether somebody ran npm themselves: what npm noted in node_modules is what the lockfile wants. */
function isInstalled() {
  const { packages: wanted = {} } = parseOrEmpty(join(ROOT, 'package-lock.json'));
  const { packages: present = {} } = parseOrEmpty(join(MODULES, '.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || (present[path]?.version === version && existsSync(join(ROOT, path))),
  );
}

/** Warnings of npm about the Node that it runs on (EBADENGINE) are kept back: what runs later is the project's own. */
async function install() {
  // --include=dev: NODE_ENV=production or omit=dev in somebody's settings would leave out the compiler.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'];
  const npm = npmCommand();
  const child = spawn(npm.command, [...npm.args, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: npm.shell,
    windowsHide: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output += text;
    });
  }
  const progress = showProgress();
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += `${error.message}\n`;
      resolve(127);
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
  progress.stop();
  return { code, output };
}

/** The npm that started this script, or the one in PATH, which on Windows is a .cmd file and needs a shell. */
function npmCommand() {
  const cli = process.env.npm_execpath ?? '';
  if (basename(cli) === 'npm-cli.js' && existsSync(cli)) {
    return { command: process.env.npm_node_execpath || process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: IS_WINDOWS };
}

/** A line that counts on a terminal; elsewhere one line, and another every 30 seconds. */
function showProgress() {
  const started = Date.now();
  let isShown = false;
  const show = () => {
    const seconds = Math.round((Date.now() - started) / 1_000);
    const text = `inmesh: installing dependencies, ${seconds} s`;
    if (isTerminal) process.stderr.write(`\r${isColored ? `\u001b[2m${text}\u001b[22m` : text}`);
    else if (!isShown || seconds % 30 === 0) say(isShown ? text : 'inmesh: installing dependencies (once, about half a minute)');
    isShown = true;
  };
  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, 1_000);
  }, QUIET_MS);
  return {
    stop() {
      clearTimeout(timer);
      if (isShown && isTerminal) process.stderr.write('\r\u001b[K');
    },
  };
}

/** null, or what is wrong and what to do. */
function checkNode() {
  const found = existsSync(OWN_NODE) ? spawnSync(OWN_NODE, ['--version'], { encoding: 'utf8' }) : null;
  const version = found?.status === 0 ? found.stdout.trim().replace(/^v/, '') : null;
  if (version !== null && isRecent(version)) return null;
  const needed = `Node ${NODE_MIN.join('.')} or later`;
  if (isRecent(process.versions.node)) {
    // Yours will do. A binary that does not start here (musl, an old glibc) must not stand before it in PATH.
    for (const suffix of ['', '.cmd', '.ps1']) rmSync(join(MODULES, '.bin', `node${suffix}`), { force: true });
    say(`inmesh: the project's own Node is not usable here; going on with yours, ${process.versions.node}`);
    return null;
  }
  if (found === null) {
    return [
      `The npm package "node" was not allowed to install its binary, and your own Node is ${process.versions.node}; the scripts need ${needed}.`,
      'npm 12 and "ignore-scripts=true" block install scripts. Either of these helps:\n' +
        '  npm approve-scripts node && npm ci      (npm 12)\n' +
        '  npm ci --ignore-scripts=false\n' +
        `or install ${needed}.`,
    ];
  }
  return [
    version === null
      ? `The project's own Node does not start on this system: ${firstLine(found.error?.message ?? found.stderr)}`
      : `The project's own Node is ${version}, too old.`,
    `Install ${needed} and run the same command again.`,
  ];
}

function isRecent(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

const CAUSES = [
  [
    /can only install packages when your package\.json and package-lock\.json/,
    'package-lock.json does not fit package.json.',
    'Run: npm run relock',
  ],
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/,
    'The package registry cannot be reached.',
    'Check the network, and the proxy and registry settings of npm.',
  ],
  [/\b(E401|E403|EAUTH\w*)\b/, 'The package registry refused access.', 'Check the registry settings of npm.'],
  [/\bE404\b/, 'The package registry does not have one of the packages.', 'Check the registry settings of npm; a mirror may lag behind.'],
  [/\bENOSPC\b/, 'The disk is full.', 'The dependencies need about 500 MB.'],
  [
    /\b(EACCES|EPERM|EROFS)\b/,
    'A file could not be written.',
    'Check who owns node_modules and the cache of npm, and close what uses them.',
  ],
  [
    /\b(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+)\b/,
    'The certificate of the package registry is not trusted.',
    'Behind a proxy that opens TLS, set cafile in the settings of npm.',
  ],
  [/^spawn npm ENOENT/m, 'npm was not found.', 'Install Node with npm, and start with: npm start'],
];

function failInstall(code, output) {
  const lines = output.trim().split('\n');
  const cause = CAUSES.find(([pattern]) => pattern.test(output));
  // The cause in our words, and the head of what npm says; all of it when the cause is not known.
  say((cause === undefined ? lines : lines.filter((line) => !/^npm error\s*($|at )/.test(line)).slice(0, 5)).join('\n'));
  const [, what, remedy] = cause ?? [null, `npm ci ended with code ${code}.`, 'What npm says stands above.'];
  return fail(`The dependencies could not be installed. ${what}`, remedy);
}

function fail(what, remedy) {
  say(`inmesh: ${what}\n${remedy}`);
  return 1;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function firstLine(text) {
  return (text ?? '').trim().split('\n')[0] || 'it ends at once';
}

function parseOrEmpty(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

process.exitCode = await setUp();
