// ${VAR} and ${VAR:-default} in single values, after parsing, so that a variable can neither move positions nor add keys.
// Source: the notation of OpenTelemetry's configuration files.

export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolated = { readonly text: string } | { readonly fault: string };

/** Whether anything would be replaced; `$$` is. */
export function hasPlaceholder(text: string): boolean {
  return text.includes('${') || text.includes('$$');
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One pass: what a variable holds is not looked at again. A variable that is unset or empty takes its default. */
export function interpolate(text: string, env: Environment): Interpolated {
  let result = '';
  let from = 0;
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', from)) {
    result += text.slice(from, at);
    const next = text[at + 1];
    if (next === '$') {
      result += '$';
      from = at + 2;
      continue;
    }
    if (next !== '{') {
      result += '$';
      from = at + 1;
      continue;
    }
    const end = text.indexOf('}', at);
    if (end < 0) return { fault: '"${" has no "}"; write ${NAME} or ${NAME:-default}, and $$ for a plain $' };
    const found = lookUp(text.slice(at + 2, end), env);
    if ('fault' in found) return found;
    result += found.text;
    from = end + 1;
  }
  return { text: result + text.slice(from) };
}

function lookUp(inside: string, env: Environment): Interpolated {
  const split = inside.indexOf(':-');
  const name = split < 0 ? inside : inside.slice(0, split);
  if (!NAME.test(name))
    return { fault: 'after "${" comes the name of a variable; write ${NAME} or ${NAME:-default}, and $$ for a plain $' };
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (split >= 0) return { text: value === undefined || value === '' ? inside.slice(split + 2) : value };
  return value === undefined
    ? { fault: `the environment variable ${name} is not set; set it, or write \${${name}:-default}` }
    : { text: value };
}

/** What a plain scalar of this text is in YAML 1.2 (core schema): "80" is a number, "true" a boolean, "no" a text. */
export function plainValue(text: string): string | number | boolean | null {
  if (/^(?:~|null|Null|NULL)?$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^0o[0-7]+$/.test(text)) return Number.parseInt(text.slice(2), 8);
  if (/^0x[0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) return Number(text);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? Number.NaN : text;
}
