/**
 * A small generator of pseudorandom numbers (sfc32 of PractRand): the same words, the same numbers, on every machine.
 */

/** Rounds after which all words have had their effect on all numbers. */
const WARM_UP = 15;

export class Sfc32 {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** 32 bits each are taken; generators of different words are independent for all that is known. */
  constructor(a: number, b: number, c: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    for (let round = 0; round < WARM_UP; round++) this.uint32();
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Above 0 and below 1, in steps of 2^-32. */
  uniform(): number {
    return (this.uint32() + 0.5) / 0x1_0000_0000;
  }

  /** Above 0 and below 1, in steps of 2^-52. */
  fineUniform(): number {
    return ((this.uint32() >>> 6) * 0x400_0000 + (this.uint32() >>> 6) + 0.5) / 0x10_0000_0000_0000;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }
}
