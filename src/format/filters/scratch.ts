/** Memory for what goes from filter to filter, one piece per filter, reused from chunk to chunk. */
export class Scratch {
  readonly #pieces: Uint8Array[] = [];

  /** Not cleared. */
  take(slot: number, bytes: number): Uint8Array {
    let piece = this.#pieces[slot];
    if (piece === undefined || piece.byteLength < bytes) {
      piece = new Uint8Array(Math.max(bytes, 1024));
      // Pieces for chunks out of the ordinary are not kept for the life of the array.
      if (bytes <= 1 << 20) this.#pieces[slot] = piece;
    }
    return piece.subarray(0, bytes);
  }
}
