// The parts of a page that a command writes: between `<!-- generated: name -->` and `<!-- end: name -->`. Knows nothing of what they
// say.

export function replaceSection(page: string, name: string, text: string): string {
  const [open, close] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [page.indexOf(open), page.indexOf(close)];
  if (from === -1 || to < from) throw new Error(`the page has no place for ${name}; it needs ${open} and ${close}`);
  return `${page.slice(0, from + open.length)}\n${text}\n${page.slice(to)}`;
}
