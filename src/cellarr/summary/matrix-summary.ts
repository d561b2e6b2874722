import type { Column } from "../../array/columns.js";
import type { Datatype } from "../../format/datatype.js";
import type { MatrixDtype } from "../../h5ad/matrix.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { asNumbers } from "../build/fit-values.js";
import type { Place } from "../build/staging.js";
import type { FormedColumn } from "../columns/column-form.js";
import { CellTotals, CellTotalsFile } from "./cell-totals.js";
import { type GeneColumns, type GeneTotals, geneTotals } from "./gene-totals.js";
import { summaryNames } from "./summary-names.js";

/** What one matrix adds up to, by cells and by genes, while its cells pass on their way to the array. */

export interface SummaryInput {
  /** Name of the matrix in the store. */
  readonly name: string;
  readonly dtype: MatrixDtype;
  readonly geneCount: number;
  /** A temporary file. */
  readonly place: Place;
  /** What there is to go on from; see geneTotals. */
  readonly before?: { readonly columns: GeneColumns; readonly cellCount: number };
}

/** Takes the cells of one file. */
export interface FileSummary {
  /** Cells of the store, in row-major order, with the values that are stored. Copies them. */
  add(cells: Uint32Array, genes: Uint32Array, values: TypedArray): void;
  /** All cells of the file were added. */
  finish(): Promise<void>;
}

export class MatrixSummary {
  readonly name: string;
  readonly #genes: GeneTotals;
  readonly #cells: CellTotalsFile;

  constructor({ name, dtype, geneCount, place, before }: SummaryInput) {
    this.name = name;
    this.#genes = geneTotals(dtype, geneCount, before);
    this.#cells = new CellTotalsFile(place);
  }

  /** For the file at that position, whose cells are `cellCount` from `firstCell` on. */
  file(position: number, firstCell: number, cellCount: number): FileSummary {
    const totals = new CellTotals(firstCell, cellCount);
    return {
      add: (cells, genes, values) => {
        const numbers = asNumbers(values);
        totals.add(cells, numbers);
        this.#genes.add(genes, numbers);
      },
      finish: () => this.#cells.add(position, totals),
    };
  }

  /** All files were added. */
  finish(): Promise<void> {
    return this.#cells.finish();
  }

  abort(): Promise<void> {
    return this.#cells.abort();
  }

  /** Columns of the cells of one file. */
  async cellColumns(file: number): Promise<FormedColumn[]> {
    const { total, detected } = await this.#cells.read(file);
    const { cells } = summaryNames(this.name);
    return [formed(cells.total, "float64", total), formed(cells.detected, "uint32", detected)];
  }

  /** Columns of the gene annotation of a store of so many cells. */
  geneColumns(cellCount: number): FormedColumn[] {
    return geneSummary(this.name, this.#genes.columns(cellCount));
  }
}

/** Columns of the gene annotation. */
export function geneSummary(matrix: string, columns: GeneColumns): FormedColumn[] {
  const { total, mean, variance, detected } = columns;
  const { genes } = summaryNames(matrix);
  return [
    formed(genes.total, "float64", total),
    formed(genes.mean, "float64", mean),
    formed(genes.variance, "float64", variance),
    formed(genes.detected, "uint32", detected),
  ];
}

function formed(name: string, datatype: Datatype, values: TypedArray): FormedColumn {
  const cells: Column = { kind: "fixed", datatype, cellValNum: 1, values };
  return { attribute: { name, datatype }, cells };
}
