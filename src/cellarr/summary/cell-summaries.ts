import type { Column } from "../../array/columns.js";
import type { FrameAttribute } from "../layout.js";
import type { MatrixSummary } from "./matrix-summary.js";
import { summaryNames } from "./summary-names.js";

/** The summary columns of cell metadata: of all matrices. */
export class CellSummaries {
  readonly attributes: readonly FrameAttribute[];
  readonly names: ReadonlySet<string>;
  readonly #matrices: readonly MatrixSummary[];

  constructor(matrices: readonly MatrixSummary[]) {
    this.#matrices = matrices;
    this.attributes = matrices.flatMap(({ name }): FrameAttribute[] => {
      const { total, detected } = summaryNames(name).cells;
      return [
        { name: total, datatype: "float64" },
        { name: detected, datatype: "uint32" },
      ];
    });
    this.names = new Set(this.attributes.map(({ name }) => name));
  }

  /** The same by the names of the columns. */
  async named(file: number): Promise<ReadonlyMap<string, Column>> {
    const columns = await this.read(file);
    return new Map(this.attributes.map(({ name }, at) => [name, columns[at]!]));
  }

  /** A column per attribute for the cells of one file. */
  async read(file: number): Promise<Column[]> {
    const columns: Column[] = [];
    for (const matrix of this.#matrices) {
      for (const { cells } of await matrix.cellColumns(file)) columns.push(cells);
    }
    return columns;
  }
}
