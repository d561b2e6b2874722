import { isCellarrError } from "../../errors.js";
import type { DimensionBounds } from "../../format/fragment/rtree.js";
import { fixedColumn, varColumn } from "../column-ops.js";
import type { Column } from "../columns.js";
import { type AttributeStatistics, statisticsOf } from "../directory/field-statistics.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import { type StoredField, storedField } from "../directory/stored-field.js";
import { fetchTiles } from "../read/tile-fetch.js";
import { OrderCheck } from "../write/order-check.js";
import { compareStatistics, writtenCells } from "./compare-statistics.js";
import type { Defect, VerifyContext } from "./defect.js";

/** Tiles whose cells are in memory at a time. */
const GROUP = 16;

/** Defects of one kind in a fragment that are told one by one; a damaged file would give one a tile. */
const MOST_ALIKE = 5;

/** Decodes every tile of a fragment, and compares what its metadata say with the cells. */
export async function verifyFragment(fragment: FragmentReader, context: VerifyContext): Promise<void> {
  const check = new FragmentCheck(fragment, context);
  for (const { name } of fragment.schema.attributes) {
    if (fragment.hasField(name)) await check.attribute(name);
  }
  if (!fragment.footer.dense) await check.coordinates();
}

class FragmentCheck {
  readonly #fragment: FragmentReader;
  readonly #context: VerifyContext;
  readonly #counts = new Map<string, number>();

  constructor(fragment: FragmentReader, context: VerifyContext) {
    this.#fragment = fragment;
    this.#context = context;
  }

  async attribute(name: string): Promise<void> {
    const { signal } = this.#context;
    const fragment = this.#fragment;
    const file = `'${name}'`;
    const field = await this.#try(file, () => storedField(fragment, name, { signal }));
    const statistics = await this.#try(file, () => this.#statistics(name));
    if (field === undefined) return;
    for (const tiles of this.#groups()) {
      const columns = await this.#decode(field, tiles, file);
      for (const [t, column] of columns) {
        if (statistics === undefined || statistics === null) continue;
        const cells = writtenCells(fragment, t);
        if (cells === null) continue;
        const problem = compareStatistics(field.field, column, statistics, t, cells);
        if (problem !== null) this.#report("statistics", `tile ${t} of ${file}: ${problem}`);
      }
    }
  }

  /** Coordinates of sparse fragments: in order, none twice, inside domain and rectangle. */
  async coordinates(): Promise<void> {
    const fragment = this.#fragment;
    const { schema } = fragment;
    const { signal } = this.#context;
    const fields: StoredField[] = [];
    for (const { name } of schema.dimensions) {
      const field = await this.#try(`'${name}'`, () => storedField(fragment, name, { signal }));
      if (field !== undefined) fields.push(field);
    }
    const tree = await this.#try("R-tree", () => fragment.rtree({ signal }));
    let order: OrderCheck | null = this.#orderCheck();
    for (const tiles of this.#groups()) {
      const decoded: ReadonlyMap<number, Column>[] = [];
      for (const field of fields) decoded.push(await this.#decode(field, tiles, `'${field.field.name}'`));
      for (const t of tiles) {
        const columns = decoded.map((one) => one.get(t));
        for (const [d, column] of columns.entries()) {
          if (column !== undefined) this.#bounds(fields[d]!, d, t, column, tree?.bounds[d]);
        }
        const isWhole = fields.length === schema.dimensions.length && columns.every(isThere);
        if (!isWhole) order = this.#orderCheck();
        else if (order !== null && !this.#isOrdered(order, columns as Column[], t)) order = null;
      }
    }
  }

  #orderCheck(): OrderCheck {
    const { schema, footer, uri } = this.#fragment;
    // Consolidated fragments with times may hold a cell more than once.
    return new OrderCheck(schema, schema.allowsDuplicates || footer.hasTimestamps, uri);
  }

  /** Told once: what follows is no news. */
  #isOrdered(order: OrderCheck, columns: readonly Column[], t: number): boolean {
    try {
      order.check(columns, this.#fragment.cellsOf(t));
      return true;
    } catch (error) {
      if (!isCellarrError(error)) throw error;
      const message = error.message.replace("write: ", "").replace(/ \(in .*\)$/, "");
      this.#report(message.startsWith("two cells") ? "duplicate" : "order", `tile ${t}: ${message}`);
      return false;
    }
  }

  #bounds(
    { field }: StoredField,
    d: number,
    t: number,
    column: Column,
    box: DimensionBounds | undefined,
  ): void {
    if (column.kind !== "fixed" || column.values.length === 0) return;
    const { values } = column;
    let [lo, hi] = [values[0]!, values[0]!];
    for (let at = 1; at < values.length; at++) {
      const value = values[at]!;
      if (value < lo) lo = value;
      if (value > hi) hi = value;
    }
    const { schema, footer } = this.#fragment;
    const { domain } = schema.dimensions[d]!;
    if (domain !== null && (lo < domain[0] || hi > domain[1])) {
      const message = `tile ${t} has '${field.name}' ${lo} to ${hi}, the domain is ${domain.join(" to ")}`;
      this.#report("coordinates", message);
    }
    if (box?.kind === "fixed" && (lo < box.lo[t]! || hi > box.hi[t]!)) {
      const message = `tile ${t} has '${field.name}' ${lo} to ${hi}, its rectangle says ${box.lo[t]} to ${box.hi[t]}`;
      this.#report("statistics", message);
    }
    const written = footer.nonEmptyDomain?.[d];
    if (written !== undefined && (lo < Number(written[0]) || hi > Number(written[1]))) {
      const message = `tile ${t} has '${field.name}' ${lo} to ${hi}, the non-empty domain is ${written.join(" to ")}`;
      this.#report("statistics", message);
    }
  }

  /** Columns of the tiles that can be decoded. */
  async #decode(field: StoredField, tiles: readonly number[], file: string): Promise<Map<number, Column>> {
    const { signal, onBytes } = this.#context;
    const columns = new Map<number, Column>();
    const decode = (t: number, stored: readonly Uint8Array[]) => {
      try {
        columns.set(t, decodeColumn(field, t, stored));
      } catch (error) {
        if (!isCellarrError(error)) throw error;
        this.#report("unreadable", `tile ${t} of ${file}: ${error.message}`, error.where);
      }
    };
    await this.#try(file, () => fetchTiles([{ field, tiles, decode }], { signal, onBytes }));
    return columns;
  }

  /** Null where the fragment's statistics are of cells of another type. */
  async #statistics(name: string): Promise<AttributeStatistics | null> {
    if (this.#fragment.evolvedAttribute(name) !== undefined) return null;
    return statisticsOf(this.#fragment, name, { signal: this.#context.signal });
  }

  *#groups(): Iterable<number[]> {
    const { tileCount } = this.#fragment;
    for (let first = 0; first < tileCount; first += GROUP) {
      yield Array.from({ length: Math.min(GROUP, tileCount - first) }, (_, at) => first + at);
    }
  }

  async #try<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (!isCellarrError(error) || error.code === "ABORTED") throw error;
      this.#report("unreadable", `${what}: ${error.message}`, error.where);
      return undefined;
    }
  }

  #report(kind: Defect["kind"], message: string, where?: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count > MOST_ALIKE) return;
    const more = count === MOST_ALIKE ? "; further ones of this fragment are not listed" : "";
    const defect = { kind, severity: "error", where: where ?? this.#fragment.uri } as const;
    this.#context.report({ ...defect, message: `${message}${more}` });
  }
}

const isThere = (column: Column | undefined): boolean => column !== undefined;

function decodeColumn(field: StoredField, t: number, stored: readonly Uint8Array[]): Column {
  const { datatype, cellValNum, isVar } = field.field;
  const validity = field.decodeValidity(t, stored);
  if (isVar) return varColumn(datatype, field.decodeVar(t, stored), validity);
  return fixedColumn(datatype, cellValNum, field.decodeFixed(t, stored), validity);
}
