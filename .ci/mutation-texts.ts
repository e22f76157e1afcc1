// The one rule by which mutants are left out of the score: a text for people. A literal of three words or more is one (messages,
// reasons, advice); which word it says is for a reader to judge, not for a test. Codes, names and headers have no three words, so
// they are all tried. A plugin of StrykerJS.
interface Literal {
  readonly type: string;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
}

const THREE_WORDS = /[A-Za-z,.:;)]+ +\S*[A-Za-z]+\S* +\S*[A-Za-z]/;

function textOf(node: Literal): string {
  if (node.type === 'StringLiteral') return String(node.value);
  if (node.type === 'TemplateLiteral') return (node.quasis ?? []).map(({ value }) => value.raw).join('X');
  return '';
}

/** By the name that StrykerJS looks for. */
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'texts',
    value: {
      shouldIgnore: ({ node }: { readonly node: Literal }): string | undefined =>
        THREE_WORDS.test(textOf(node)) ? 'a text for people' : undefined,
    },
  },
];
