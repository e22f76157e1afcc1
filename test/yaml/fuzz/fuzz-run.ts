// A run of the fuzzer: text after text, each from its own seed, so that a find can be made again by its number.
import { documentWriter, type DocumentWriter } from '../../../src/yaml/document.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { corpusWorlds, drawnDocument } from './corpus.ts';
import { mutated, type Stock, stockOf } from './mutate.ts';
import { Draw, type Json } from './random-value.ts';
import { tryText } from './trial.ts';

export interface Find {
  readonly seed: number;
  readonly fault: string;
  readonly text: string;
}

/** The concise form that the documents meet. */
const CONCISE: Json = {
  self: { service: 'productpage', namespace: 'default', serviceAccount: 'productpage', labels: { app: 'productpage' } },
  services: {
    reviews: {
      endpoints: [
        { address: '10.0.0.1:80', labels: { version: 'v1' } },
        { address: '10.0.0.2:80', labels: { version: 'v2' } },
      ],
    },
    ratings: { endpoints: ['10.0.0.3:80'], subsets: { v1: {} } },
  },
};

export class FuzzRun {
  readonly #stock: Stock;
  readonly #writer: DocumentWriter;

  constructor(stock: Stock, writer: DocumentWriter) {
    this.#stock = stock;
    this.#writer = writer;
  }

  static async start(): Promise<FuzzRun> {
    return new FuzzRun(stockOf(corpusWorlds()), await documentWriter());
  }

  /** The documents of a seed, as text. */
  textsOf(seed: number): string[] {
    const draw = new Draw(seededRandom(seed));
    const documents = draw.chance(0.6) ? this.#world(draw) : this.#mixture(draw);
    const texts = documents.map((one) => this.#written(one, draw));
    return draw.chance(0.05) ? [scratched(texts.join(BETWEEN), draw)] : texts;
  }

  /** What is wrong with how the text of the seed is read; null when nothing is. */
  async find(seed: number): Promise<Find | null> {
    const texts = this.textsOf(seed);
    const runs = seed % 4 === 0;
    const whole = await tryText(texts.join(BETWEEN), { runs });
    if (whole.fault !== null) return { seed, fault: whole.fault, text: texts.join(BETWEEN) };
    // The documents without errors get further when they are alone.
    const sound = soundTexts(texts, whole.errorLines);
    if (sound.length === 0 || sound.length === texts.length) return null;
    const text = sound.join(BETWEEN);
    const { fault } = await tryText(text, { runs });
    return fault === null ? null : { seed, fault, text };
  }

  /** Documents that belong together, one or two of them changed. */
  #world(draw: Draw): Json[] {
    const documents = [...draw.of(this.#stock.worlds)];
    for (let i = draw.of([1, 1, 1, 2]); i > 0; i--) {
      const at = draw.below(documents.length);
      const document = documents[at];
      if (document !== undefined) documents[at] = mutated(document, this.#stock, draw);
    }
    if (draw.chance(0.2)) documents.splice(draw.below(documents.length + 1), 0, this.#document(draw));
    return documents;
  }

  #mixture(draw: Draw): Json[] {
    const documents = Array.from({ length: draw.of([1, 1, 2, 3, 6]) }, () => this.#document(draw));
    if (draw.chance(0.7)) documents.unshift(draw.chance(0.2) ? mutated(CONCISE, this.#stock, draw) : CONCISE);
    return documents;
  }

  #document(draw: Draw): Json {
    const { documents } = this.#stock;
    if (draw.chance(0.4)) {
      const drawn = drawnDocument(draw);
      return draw.chance(0.3) ? mutated(drawn, this.#stock, draw) : drawn;
    }
    const document = draw.of(documents);
    return draw.chance(0.15) ? document : mutated(document, this.#stock, draw);
  }

  #written(document: Json, draw: Draw): string {
    // JSON is YAML, too, and costs less to write.
    return draw.chance(0.5) ? `${JSON.stringify(document, null, draw.of([0, 2]))}\n` : this.#writer.print(document);
  }
}

const BETWEEN = '---\n';

function soundTexts(texts: readonly string[], errorLines: readonly number[]): string[] {
  let end = 0;
  return texts.filter((text) => {
    const start = end;
    end += text.split('\n').length;
    return !errorLines.some((line) => line > start && line <= end);
  });
}

/** Something that is no longer YAML, perhaps. */
function scratched(text: string, draw: Draw): string {
  const at = draw.below(text.length + 1);
  const piece = draw.of([
    '\n',
    ' ',
    '\t',
    ': ',
    '- ',
    '"',
    "'",
    '{',
    ']',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '%',
    '\u0000',
    '\ufeff',
    '...\n',
    '---\n',
    '? ',
  ]);
  return text.slice(0, at) + piece + text.slice(at + draw.of([0, 0, 1, 5, 50]));
}

/** What so many texts find wrong with the readers. */
export async function faultsOf(runs: number, first = 1): Promise<string[]> {
  const run = await FuzzRun.start();
  const faults: string[] = [];
  for (let seed = first; seed < first + runs; seed++) {
    const find = await run.find(seed);
    if (find !== null) faults.push(`seed ${seed}: ${find.fault}`);
  }
  return faults;
}
