// One value of a rule against one text: exact, `abc*`, `*abc`, or `*` for whatever is there. No regular expressions: the dots of
// a name are dots. Source: istio/istio pilot/pkg/security/authz/matcher.

export type TextTest = (text: string) => boolean;

export function textTest(value: string): TextTest {
  if (value === '*') return (text) => text !== '';
  if (value.startsWith('*')) {
    const suffix = value.slice(1);
    return (text) => text.endsWith(suffix);
  }
  if (value.endsWith('*')) {
    const prefix = value.slice(0, -1);
    return (text) => text.startsWith(prefix);
  }
  return (text) => text === value;
}

/** Whether one of the values takes the text. */
export function anyText(values: readonly string[], make: (value: string) => TextTest = textTest): TextTest {
  const [first, second] = values;
  if (first === undefined) return () => false;
  if (second === undefined) return make(first);
  if (make === textTest && !values.some((value) => value.startsWith('*') || value.endsWith('*'))) {
    const known = new Set(values);
    return (text) => known.has(text);
  }
  const tests = values.map(make);
  return (text) => {
    for (let i = 0; i < tests.length; i++) if ((tests[i] as TextTest)(text)) return true;
    return false;
  };
}

/** `*` stands for any text, wherever it is. Source: Istio, source.namespace. */
export function globTest(value: string): TextTest {
  const pieces = value.split('*');
  if (pieces.length < 3) return pieces.length === 2 && value !== '*' ? between(pieces[0] as string, pieces[1] as string) : textTest(value);
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  const inner = pieces.slice(1, -1);
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const piece of inner) {
      const at = text.indexOf(piece, from);
      if (at < 0) return false;
      from = at + piece.length;
    }
    return from <= text.length - last.length;
  };
}

function between(first: string, last: string): TextTest {
  const least = first.length + last.length;
  return (text) => text.length >= least && text.startsWith(first) && text.endsWith(last);
}
