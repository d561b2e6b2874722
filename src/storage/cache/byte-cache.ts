/**
 * Bytes of keys in memory, up to a limit: those that were not used for longest go first. What is kept are ranges as they
 * were asked for; a range inside a kept one is answered from it.
 */

interface Piece {
  readonly id: string;
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Of a piece besides its bytes, roughly. */
const OVERHEAD = 200;

export class ByteCache {
  #limit: number;
  #size = 0;
  /** Used longest ago first: a Set keeps the order in which pieces were added, and used ones are added anew. */
  readonly #used = new Set<Piece>();
  readonly #byId = new Map<string, Piece[]>();

  /** @param limit bytes at most; 0 keeps nothing */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes kept, with what keeping them takes. */
  get size(): number {
    return this.#size;
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#shrink();
  }

  /** The bytes from `start` to `end` of what `id` names, if they are kept. Not to be written to. */
  get(id: string, start: number, end: number): Uint8Array | undefined {
    const piece = this.#byId.get(id)?.find((one) => one.start <= start && end <= endOf(one));
    if (piece === undefined) return undefined;
    this.#used.delete(piece);
    this.#used.add(piece);
    return piece.bytes.subarray(start - piece.start, end - piece.start);
  }

  /** Keeps bytes, which nobody writes to; what they cover is dropped. Larger ones than half of all are not kept. */
  put(id: string, start: number, bytes: Uint8Array): void {
    if ((bytes.byteLength + OVERHEAD) * 2 > this.#limit) return;
    const end = start + bytes.byteLength;
    for (const one of [...(this.#byId.get(id) ?? [])]) {
      if (one.start <= start && end <= endOf(one)) return;
      if (start <= one.start && endOf(one) <= end) this.#drop(one);
    }
    // A view would keep all of what it is a view of.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    const piece = { id, start, bytes: own };
    const others = this.#byId.get(id);
    if (others === undefined) this.#byId.set(id, [piece]);
    else others.push(piece);
    this.#used.add(piece);
    this.#size += own.byteLength + OVERHEAD;
    this.#shrink();
  }

  clear(): void {
    this.#used.clear();
    this.#byId.clear();
    this.#size = 0;
  }

  #shrink(): void {
    for (const oldest of this.#used) {
      if (this.#size <= this.#limit) return;
      this.#drop(oldest);
    }
  }

  #drop(piece: Piece): void {
    const left = this.#byId.get(piece.id)!.filter((one) => one !== piece);
    if (left.length === 0) this.#byId.delete(piece.id);
    else this.#byId.set(piece.id, left);
    this.#used.delete(piece);
    this.#size -= piece.bytes.byteLength + OVERHEAD;
  }
}

function endOf({ start, bytes }: Piece): number {
  return start + bytes.byteLength;
}
