// `inmesh certs`: certificates for development, and what certificates are.
import { certsDev } from './certs-dev.ts';
import { certsShow } from './certs-show.ts';
import { certsVerify } from './certs-verify.ts';
import { type Run, UsageError } from './command.ts';

const ACTIONS: Readonly<Record<string, Run>> = { dev: certsDev, show: certsShow, verify: certsVerify };

export const certs: Run = ({ positionals, ...input }) => {
  const [name = '', ...rest] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined)
    throw new UsageError(name === '' ? 'say dev, show or verify' : `there is no certs ${JSON.stringify(name)}; say dev, show or verify`);
  return action({ ...input, positionals: rest });
};
