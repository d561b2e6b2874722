/** A set of byte strings: asking costs the same whatever its size. */
export class ByteStringSet {
  readonly #byHash = new Map<number, Uint8Array[]>();

  constructor(strings: readonly Uint8Array[]) {
    for (const one of strings) {
      const hash = hashOf(one);
      const same = this.#byHash.get(hash);
      if (same === undefined) this.#byHash.set(hash, [one]);
      else if (!same.some((other) => equal(other, one))) same.push(one);
    }
  }

  has(bytes: Uint8Array): boolean {
    const same = this.#byHash.get(hashOf(bytes));
    if (same === undefined) return false;
    for (const one of same) if (equal(one, bytes)) return true;
    return false;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
