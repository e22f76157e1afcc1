#!/usr/bin/env node
// The program: hands the process to the command line. What the commands are stands in command-line.ts.
import { commandLine } from './command-line.ts';

process.exitCode = await commandLine(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
});
