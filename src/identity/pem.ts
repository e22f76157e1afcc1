// PEM, block by block: Node takes garbage between blocks silently, and an empty list of roots for "the roots of the web", so
// every block is cut out and read by us.

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;

/** The blocks with that label, each as text of its own. */
export function pemBlocks(text: string, label: string): string[] {
  return [...text.matchAll(BLOCK)].filter(([, found]) => found === label).map(([block]) => `${block}\n`);
}

/** The bytes of a block. */
export function pemBytes(block: string): Uint8Array {
  return Buffer.from(block.replaceAll(/-----[^-]+-----/g, ''), 'base64');
}

/** A block made of bytes. */
export function pemText(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
