// `inmesh authz explain CALLER METHOD PATH`: whether that caller may, and who decides it. The short way to `inmesh explain --inbound`.
import { type Run, UsageError } from './command.ts';
import { explain } from './explain.ts';

/** What stands in policies for the own domain, whatever its name. */
const DOMAIN = 'cluster.local';

export const authz: Run = ({ positionals, values, terminal }) => {
  const [action, caller, method, path, ...more] = positionals;
  if (action !== 'explain')
    throw new UsageError(action === undefined ? 'say explain' : `there is no authz ${JSON.stringify(action)}; say explain`);
  if (caller === undefined || method === undefined || path === undefined || more.length > 0)
    throw new UsageError('give a caller, a method and a path, such as: productpage GET /api/1');
  const principal = principalOf(caller);
  const given = principal === '' ? values : { ...values, principal };
  return explain({ positionals: [method, path], values: { ...given, inbound: true }, terminal });
};

/** '' for a caller without a certificate. */
function principalOf(caller: string): string {
  if (caller === '-') return '';
  if (caller.startsWith('spiffe://')) return caller;
  const parts = caller.split('/');
  if (parts.some((part) => part === '')) throw new UsageError(`${JSON.stringify(caller)} is no caller`);
  if (parts.length > 2) return caller;
  const [namespace, account] = parts.length === 2 ? parts : ['default', caller];
  return `${DOMAIN}/ns/${namespace}/sa/${account}`;
}
