// The command line: one table of commands, from which arguments are parsed and help is made. Knows no command from
// inside; each is loaded when it is called.
import { parseArgs } from 'node:util';
import { VERSION } from '../mesh/version.ts';
import type { CommandInput, CommandSpec, OptionSpec, Terminal } from './command.ts';
import { UsageError } from './command.ts';

const JSON_OPTION: OptionSpec = { type: 'boolean', help: 'Print JSON for programs.' };
const HEADER_OPTION: OptionSpec = {
  type: 'string',
  short: 'H',
  multiple: true,
  value: "'NAME: VALUE'",
  help: 'A header of the call; may stand more than once.',
};
const CONFIG_OPTION: OptionSpec = {
  type: 'string',
  short: 'c',
  multiple: true,
  value: 'PATH',
  help: 'File or folder of the configuration.',
};
const LENIENT_OPTION: OptionSpec = {
  type: 'boolean',
  help: 'What a mesh settles by itself, such as two rules for one host, is a warning, and settled in the same way.',
};
const LOSS_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'The report as JSON, with the defaults that nobody wrote.' },
  'allow-loss': { type: 'boolean', help: 'Exit with 0 even if something was lost.' },
};
const CONFIG_DEFAULT = 'Without a path: $INMESH_CONFIG, then ./mesh.yaml.';

const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'check',
    args: '[paths…]',
    summary: 'Read a configuration and say what is wrong with it, and where.',
    details: `Paths are files or folders. ${CONFIG_DEFAULT}\nExits with 0 when nothing is wrong, 1 when there are errors, 2 for wrong use.`,
    options: {
      output: {
        type: 'string',
        short: 'o',
        value: 'FORM',
        help: 'table, wide (with the reasons), short (a line for each finding), or json. Default: table.',
      },
      json: JSON_OPTION,
      lenient: LENIENT_OPTION,
      'fail-on': { type: 'string', value: 'SEVERITY', help: 'What makes the exit code 1: error, warning or info. Default: error.' },
      'whole-cluster': {
        type: 'boolean',
        help: 'The documents are all that a cluster has: a workload or namespace that is not among them does not exist.',
      },
      explain: { type: 'string', value: 'CODE', help: 'Say what a code such as IST0101 means, and read nothing. list: all codes.' },
    },
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'explain',
    args: '[METHOD] URL',
    summary: 'Say what would become of a call, and which line decided it; or who may call. Nothing is sent.',
    details: `${CONFIG_DEFAULT} With --inbound: whom this process lets in, by the policies of its documents; with a method, a path or a principal also whether that call comes in, and who decides it.\nExamples: inmesh explain GET http://reviews/api/1 -H 'user-agent: mobile'\n          inmesh explain --inbound POST /api/1 --principal cluster.local/ns/default/sa/productpage`,
    options: {
      header: HEADER_OPTION,
      inbound: { type: 'boolean', help: 'Who may call this process, instead of what becomes of its calls.' },
      principal: {
        type: 'string',
        value: 'NAME',
        help: 'With --inbound: the caller, as DOMAIN/ns/NAMESPACE/sa/ACCOUNT. Default: one without a certificate.',
      },
      port: { type: 'string', value: 'PORT', help: 'With --inbound: the port that is called. Default: that of the URL, else 80.' },
      from: { type: 'string', value: 'ADDRESS', help: 'With --inbound: where the call comes from. Default: 127.0.0.1.' },
      config: CONFIG_OPTION,
      lenient: LENIENT_OPTION,
      json: JSON_OPTION,
    },
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'authz',
    args: 'explain CALLER METHOD PATH',
    summary: 'Say whether a caller may, and which policy decides it. Nothing is sent.',
    details: `${CONFIG_DEFAULT} CALLER is ACCOUNT (of namespace default), NAMESPACE/ACCOUNT, a SPIFFE ID, or - for one without a certificate.\nExample: inmesh authz explain productpage GET /api/1`,
    options: {
      header: HEADER_OPTION,
      port: { type: 'string', value: 'PORT', help: 'The port that is called. Default: 80.' },
      from: { type: 'string', value: 'ADDRESS', help: 'Where the call comes from. Default: 127.0.0.1.' },
      config: CONFIG_OPTION,
      lenient: LENIENT_OPTION,
      json: JSON_OPTION,
    },
    load: async () => (await import('./authz.ts')).authz,
  },
  {
    name: 'simulate',
    args: '[paths…]',
    summary: 'Run a configuration through bad days in a simulated world, and compare it with no policies at all.',
    details: `Paths are files or folders. ${CONFIG_DEFAULT} Nothing is sent: endpoints are models, time is virtual.\nExits with 1 when an expectation is not met, or the configuration has errors; with 2 for wrong use.\nExample: inmesh simulate --scenario slow-replica --expect 'p99<=200ms' --svg slow.svg`,
    options: {
      scenario: { type: 'string', multiple: true, value: 'NAME', help: 'Only this one; may stand more than once. Default: all.' },
      list: { type: 'boolean', help: 'Print the scenarios.' },
      service: { type: 'string', multiple: true, value: 'NAME', help: 'Only calls to this one; may stand more than once. Default: all.' },
      rps: { type: 'string', value: 'NUMBER', help: 'Calls a second of all clients. Default: 100 for each endpoint.' },
      clients: { type: 'string', value: 'NUMBER', help: 'Processes that call. Default: 10.' },
      duration: { type: 'string', value: 'TIME', help: 'Length of a run; the trouble is in its second quarter. Default: 60s.' },
      endpoints: { type: 'string', value: 'NUMBER', help: 'Endpoints behind a DNS name. Default: 3.' },
      seed: { type: 'string', value: 'NUMBER', help: 'Equal seeds give equal results. Default: 1.' },
      expect: { type: 'string', multiple: true, value: "'[NAME:]FIGURE>=VALUE'", help: 'What must hold, such as goodput>=0.99.' },
      svg: { type: 'string', value: 'FILE', help: 'Draw a picture.' },
      lenient: LENIENT_OPTION,
      json: JSON_OPTION,
    },
    load: async () => (await import('./simulate.ts')).simulate,
  },
  {
    name: 'export',
    args: '--to MESH [paths…]',
    summary: 'Write a configuration in the words of a mesh, and say what that mesh cannot do.',
    details: `Paths are files or folders. ${CONFIG_DEFAULT} What is of that mesh already goes out as it came in.\nExits with 1 when something was lost, or the configuration has errors; with 2 for wrong use.\nExample: inmesh export --to istio mesh.yaml > istio.yaml`,
    options: {
      to: { type: 'string', value: 'MESH', help: 'istio, gateway-api, linkerd, smi or argo-rollouts.' },
      output: { type: 'string', short: 'o', value: 'FOLDER', help: 'A file for each document. Default: -, all on standard output.' },
      ...LOSS_OPTIONS,
      lenient: LENIENT_OPTION,
    },
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'import',
    args: '[paths…]',
    summary: 'Write any configuration in the concise form, and say what that form cannot do.',
    details: `Paths are files or folders. ${CONFIG_DEFAULT} Comments say where each piece came from.\nExits with 1 when something was lost, or the configuration has errors; with 2 for wrong use.\nExample: inmesh import istio/ --output mesh.yaml`,
    options: {
      output: { type: 'string', short: 'o', value: 'FILE', help: 'Where it is written. Default: -, standard output.' },
      ...LOSS_OPTIONS,
      lenient: LENIENT_OPTION,
    },
    load: async () => (await import('./import.ts')).importCommand,
  },
  {
    name: 'diff',
    args: 'A B',
    summary: 'Say what two configurations mean otherwise, whatever they are written in.',
    details:
      'A and B are files or folders; files of one configuration stand with commas between them.\nExits with 0 when both mean the same, 1 when they differ, 2 for trouble.\nExample: inmesh diff mesh.yaml istio/',
    options: { lenient: LENIENT_OPTION, json: JSON_OPTION },
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'certs',
    args: 'dev|show|verify …',
    summary: 'Make certificates for development, and say what certificates are.',
    details:
      'dev SERVICE…: a CA and a SPIFFE certificate for each, in folders that identity: { directory } reads; run again it renews. A service is NAME or NAMESPACE/NAME.\nshow FILE…: what stands in certificates.\nverify FOLDER, or verify CERT --key FILE --ca FILE: whether they are an identity.\nExits with 0 when all is well, 1 when a certificate is not, 2 for wrong use.\nExample: inmesh certs dev productpage reviews --watch',
    options: {
      out: { type: 'string', value: 'FOLDER', help: 'dev: where. Default: certs.' },
      'trust-domain': { type: 'string', value: 'NAME', help: 'dev: of the CA. Default: cluster.local.' },
      life: { type: 'string', value: 'TIME', help: 'dev: of each certificate. Default: 24h.' },
      watch: { type: 'boolean', help: 'dev: go on, and renew before they expire.' },
      key: { type: 'string', value: 'FILE', help: 'verify: the private key.' },
      ca: { type: 'string', value: 'FILE', help: 'verify: the roots.' },
      expect: { type: 'string', value: 'NAME', help: 'verify: the SPIFFE ID, a pattern of one, or the DNS name that it must have.' },
      json: JSON_OPTION,
    },
    load: async () => (await import('./certs.ts')).certs,
  },
];

const GLOBAL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', short: 'h', help: 'Print this help.' },
  version: { type: 'boolean', short: 'v', help: 'Print the version.' },
};

/** Runs one command line; never rejects. */
export async function commandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = '', ...rest] = args;
  const command = COMMANDS.find(({ name }) => name === first);
  if (command === undefined) return withoutCommand(first, terminal);
  try {
    const { values, positionals } = parse(command, rest);
    if (values.help === true) {
      terminal.out(commandHelp(command));
      return 0;
    }
    if (values.version === true) {
      terminal.out(`${VERSION}\n`);
      return 0;
    }
    const run = await command.load();
    return await run({ values, positionals, terminal });
  } catch (error) {
    if (error instanceof UsageError || isParseArgsError(error)) {
      terminal.err(`inmesh ${command.name}: ${(error as Error).message}\n\n${commandHelp(command)}`);
      return 2;
    }
    terminal.err(`inmesh ${command.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function withoutCommand(first: string, terminal: Terminal): number {
  if (first === '--version' || first === '-v') {
    terminal.out(`${VERSION}\n`);
    return 0;
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    terminal.out(help());
    return 0;
  }
  terminal.err(first === '' ? help() : `inmesh: there is no command ${JSON.stringify(first)}\n\n${help()}`);
  return 2;
}

function parse(command: CommandSpec, args: readonly string[]): Pick<CommandInput, 'values' | 'positionals'> {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> = {};
  for (const [name, { type, short, multiple }] of Object.entries({ ...command.options, ...GLOBAL_OPTIONS })) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) };
  }
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  return { values: values as CommandInput['values'], positionals };
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}

function help(): string {
  const rows = COMMANDS.map(({ name, args, summary }): Row => [`${name} ${args}`, summary]);
  return `Usage: inmesh <command> [options]\n\nCommands:\n${table(rows)}\nOptions:\n${optionRows(GLOBAL_OPTIONS)}\n"inmesh <command> --help" says more about one command.\n`;
}

function commandHelp({ name, args, summary, details, options }: CommandSpec): string {
  return `Usage: inmesh ${name} ${args} [options]\n\n${summary}\n${details}\n\nOptions:\n${optionRows({ ...options, help: GLOBAL_OPTIONS.help as OptionSpec })}`;
}

type Row = readonly [left: string, right: string];

function optionRows(options: Readonly<Record<string, OptionSpec>>): string {
  return table(
    Object.entries(options).map(([name, { short, value, help: text }]): Row => {
      const long = value === undefined ? `--${name}` : `--${name} ${value}`;
      return [short === undefined ? `    ${long}` : `-${short}, ${long}`, text];
    }),
  );
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}
