/** Rows by their codes, one group after the other. */

export interface Groups {
  /** Groups + 1 positions in `rows`. */
  readonly starts: Uint32Array;
  /** Ascending within each group. */
  readonly rows: Uint32Array;
}

/** Rows with a code of -1 are in no group. */
export function groupRows(codes: Int32Array, count: number): Groups {
  const starts = new Uint32Array(count + 1);
  for (const code of codes) if (code >= 0) starts[code + 1]!++;
  for (let code = 0; code < count; code++) starts[code + 1]! += starts[code]!;
  const rows = new Uint32Array(starts[count]!);
  const next = starts.slice(0, count);
  for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) rows[next[codes[row]!]!++] = row;
  return { starts, rows };
}

/** The rows of a group; shares memory. */
export function groupOf({ starts, rows }: Groups, group: number): Uint32Array {
  return rows.subarray(starts[group], starts[group + 1]);
}
