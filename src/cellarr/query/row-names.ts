import { Frame, type FrameColumn, type TextColumn, textValues } from "../../util/frame.js";
import { copyColumn, takeRows, takeText } from "../frames/frame-parts.js";
import type { FrameReader } from "../frames/frame-reader.js";
import { NameRows } from "../frames/name-rows.js";
import { pythonStrings, pythonText } from "../frames/python-text.js";
import { addedColumns } from "../layout.js";
import { isAscending } from "../selection.js";

/** What genes and samples are called: a column of their frames, read at the first question and kept. */

/** Calls `read` once, and again only where that failed. */
function kept<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    if (result === undefined) {
      result = read();
      result.catch(() => {
        result = undefined;
      });
    }
    return result;
  };
}

/** Position of a name among the rows, or -1. */
type RowOf = (name: string) => number;

export class SampleNames {
  readonly #names: () => Promise<string[]>;

  constructor(samples: FrameReader) {
    this.#names = kept(async () => pythonStrings(await samples.column(addedColumns.sample)));
  }

  async all(): Promise<string[]> {
    return [...(await this.#names())];
  }

  async rowOf(): Promise<RowOf> {
    const names = await this.#names();
    return (name) => names.indexOf(name);
  }
}

interface GeneIndex {
  readonly column: FrameColumn;
  /** The same as text. */
  readonly names: TextColumn;
  readonly rows: NameRows;
}

export class GeneNames {
  readonly #genes: FrameReader;
  readonly #index: () => Promise<GeneIndex>;

  constructor(genes: FrameReader) {
    this.#genes = genes;
    this.#index = kept(async () => {
      const column = await genes.column(addedColumns.geneIndex);
      const names = pythonText(column);
      return { column, names, rows: new NameRows(names) };
    });
  }

  async all(): Promise<string[]> {
    return textValues((await this.#index()).names).map((name) => name ?? "");
  }

  async rowOf(wanted: readonly string[]): Promise<RowOf> {
    const rows = (await this.#index()).rows.find(wanted);
    return (name) => rows.get(name) ?? -1;
  }

  /** Rows of the gene annotation in the order given, named by gene. */
  async frame(
    genes: Uint32Array,
    columns: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Frame> {
    const { geneIndex } = addedColumns;
    const stored = columns.filter((name) => name !== geneIndex);
    const [{ column, names }, frame] = await Promise.all([
      this.#index(),
      stored.length === 0 ? null : this.#genes.rows(genes, stored, signal),
    ]);
    const isAll = genes.length === this.#genes.rowCount && isAscending(genes);
    // What is kept is not handed out: callers may write to what they get.
    const index = isAll ? copyColumn(column) : takeRows(column, genes);
    const wanted = columns.map((name): [string, FrameColumn] => [
      name,
      name === geneIndex ? index : frame!.columns.get(name)!,
    ]);
    return new Frame(isAll ? copyColumn(names) : takeText(names, genes), new Map(wanted));
  }
}
