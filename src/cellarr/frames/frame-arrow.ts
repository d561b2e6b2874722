import type { Data, Dictionary, Table } from "apache-arrow";
import type { Column } from "../../array/columns.js";
import { arrowData } from "../../array/dataframe/arrow-data.js";
import type { ArrowModule } from "../../array/dataframe/arrow-validity.js";
import { arrowValidity } from "../../array/dataframe/arrow-validity.js";
import { dtypeOf } from "../../h5ad/matrix.js";
import type { CategoricalColumn, Frame, FrameColumn } from "../../util/frame.js";

/** Frames as Apache Arrow: numbers, text and codes keep their memory, categoricals are dictionary-encoded. */

/** Columns of one or several frames of the same columns: the dictionary of a categorical is made once. */
export class ArrowColumns {
  readonly arrow: ArrowModule;
  readonly #dictionaries = new Map<string, Dictionary<Data["type"]>>();
  readonly #categories = new Map<string, InstanceType<ArrowModule["Vector"]>>();

  constructor(arrow: ArrowModule) {
    this.arrow = arrow;
  }

  data(name: string, column: FrameColumn): Data {
    return column.kind === "categorical"
      ? this.#categorical(name, column)
      : arrowData(this.arrow, arrayColumn(column));
  }

  /** A batch of the columns, in their order; all may hold nulls. */
  batch(columns: readonly (readonly [name: string, column: FrameColumn])[], rows: number) {
    const { arrow } = this;
    const children = columns.map(([name, column]) => this.data(name, column));
    const fields = columns.map(([name], at) => arrow.Field.new(name, children[at]!.type, true));
    const type = new arrow.Struct(fields);
    const data = arrow.makeData({ type, length: rows, nullCount: 0, children });
    return new arrow.RecordBatch(new arrow.Schema(fields), data);
  }

  #categorical(name: string, { codes, categories, ordered }: CategoricalColumn): Data {
    const { arrow } = this;
    let dictionary = this.#categories.get(name);
    let type = this.#dictionaries.get(name);
    if (dictionary === undefined || type === undefined) {
      dictionary = new arrow.Vector([arrowData(arrow, arrayColumn(categories))]);
      type = new arrow.Dictionary(dictionary.type, new arrow.Int32(), null, ordered);
      this.#categories.set(name, dictionary);
      this.#dictionaries.set(name, type);
    }
    const missing: number[] = [];
    for (let row = 0; row < codes.length; row++) if (codes[row]! < 0) missing.push(row);
    const validity = arrowValidity(codes.length, undefined, missing);
    return arrow.makeData({ type, length: codes.length, ...validity, data: codes, dictionary }) as Data;
  }
}

function arrayColumn(column: Exclude<FrameColumn, CategoricalColumn>): Column {
  const validity = column.validity === undefined ? {} : { validity: column.validity };
  if (column.kind === "text") {
    const { offsets, data } = column;
    return { kind: "var", datatype: "string_utf8", offsets, data, ...validity };
  }
  const { values } = column;
  const datatype = column.kind === "boolean" ? "bool" : dtypeOf(values);
  return { kind: "fixed", datatype, cellValNum: 1, values, ...validity };
}

/** The frame's columns as a table, after `leading` ones; the row names are no column of it. */
export async function frameTable(
  frame: Frame,
  leading: readonly (readonly [string, FrameColumn])[] = [],
): Promise<Table> {
  const arrow = await import("apache-arrow");
  const columns = [...leading.filter(([name]) => !frame.columns.has(name)), ...frame.columns];
  const batch = new ArrowColumns(arrow).batch(columns, frame.rowCount);
  return new arrow.Table(batch.schema, [batch]);
}
