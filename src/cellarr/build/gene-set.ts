import { ArgumentError } from "../../errors.js";

/** The genes of a store, in its order, and the way from a file's genes to them. */

/**
 * Order of Python's `sorted` on strings: by code point. JavaScript's `<` goes by UTF-16 unit, which puts characters
 * beyond U+FFFF before those of U+E000 to U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Moves surrogates, halves of code points beyond U+FFFF, above all other units. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export class GeneSet {
  /** In the store's order; unique. */
  readonly names: readonly string[];
  readonly #positions: ReadonlyMap<string, number>;

  /** Throws ArgumentError if a name comes twice. */
  constructor(names: readonly string[]) {
    const positions = new Map<string, number>();
    for (const [at, name] of names.entries()) {
      const before = positions.get(name);
      if (before !== undefined) {
        throw new ArgumentError(
          `gene annotation: '${name}' is in rows ${before} and ${at}; genes must be unique`,
        );
      }
      positions.set(name, at);
    }
    this.names = names;
    this.#positions = positions;
  }

  /** The sorted set of all names. */
  static sorted(names: Iterable<string>): GeneSet {
    return new GeneSet([...new Set(names)].sort(compareCodePoints));
  }

  get size(): number {
    return this.names.length;
  }

  /** Position of a gene, or -1. */
  indexOf(name: string): number {
    return this.#positions.get(name) ?? -1;
  }

  /** Position of each name, -1 for those that are not in the set. */
  positionsOf(names: readonly string[]): Int32Array {
    return Int32Array.from(names, (name) => this.indexOf(name));
  }
}
