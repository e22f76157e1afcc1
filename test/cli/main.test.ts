import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { cliFolder } from './run-cli.ts';

const folder = cliFolder({});
afterAll(() => folder.remove());

describe('inmesh', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await folder.runProcess(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect((await folder.runProcess(['check', '-v'])).out).toBe(`${version}\n`);
  });

  it('prints help', async () => {
    const { code, out } = await folder.runProcess(['--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: inmesh <command>/);
    expect(out).toMatch(/^ {2}check \[paths…\] {2,}\S/m);
    expect(out).toMatch(/^ {2}explain \[METHOD\] URL {2,}\S/m);
  });

  it.each([
    ['check', ['--json', '-h, --help']],
    ['explain', ["-H, --header 'NAME: VALUE'", '-c, --config PATH', '--json']],
  ])('prints help for %s, with every option', async (command, options) => {
    const { code, out } = await folder.runProcess([command, '--help']);
    expect(code).toBe(0);
    for (const option of options) expect(out).toContain(option);
  });

  it.each<[string, string[], RegExp]>([
    ['nothing', [], /^Usage: inmesh <command>/],
    ['an unknown command', ['chekc'], /^inmesh: there is no command "chekc"\n\nUsage/],
    ['an unknown option', ['check', '--jsn'], /^inmesh check: Unknown option '--jsn'[^]*Usage: inmesh check/],
    ['an option without its value', ['explain', '-H'], /^inmesh explain: Option '-H, --header <value>' argument missing/],
  ])('exits with 2 for %s', async (_name, args, message) => {
    const { code, out, err } = await folder.runProcess(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});
