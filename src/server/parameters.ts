import { ArgumentError } from "../errors.js";

/**
 * What a request asks, by name: from the query string, where lists are written `a,b` or given several times, or from the
 * JSON object of a POST, where they are arrays. A name that the route does not know is an error, so that a slip
 * of the pen does not answer another question. All functions throw ArgumentError naming the parameter.
 */
export class Parameters {
  readonly #values: ReadonlyMap<string, readonly unknown[]>;
  /** Whether texts are lists between commas. */
  readonly #split: boolean;

  private constructor(values: ReadonlyMap<string, readonly unknown[]>, split: boolean) {
    this.#values = values;
    this.#split = split;
  }

  static ofQuery(query: URLSearchParams, known: readonly string[]): Parameters {
    const names = [...new Set(query.keys())];
    checkNames(names, known);
    return new Parameters(new Map(names.map((name) => [name, query.getAll(name)])), true);
  }

  static ofJson(text: string, known: readonly string[]): Parameters {
    const parsed = parseJson(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw new ArgumentError("the request's body: expected a JSON object");
    }
    const entries = Object.entries(parsed).filter(([, value]) => value !== null);
    checkNames(
      entries.map(([name]) => name),
      known,
    );
    const values = entries.map(([name, value]) => [name, Array.isArray(value) ? value : [value]] as const);
    return new Parameters(new Map(values), false);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The one text of that name. */
  text(name: string): string | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    const [value, ...others] = values;
    if (typeof value === "string" && others.length === 0) return value;
    throw new ArgumentError(`${name}: expected one text`);
  }

  /** Texts in the order given; an empty query value is an empty list. */
  list(name: string): string[] | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    return values.flatMap((value) => {
      if (typeof value !== "string") throw new ArgumentError(`${name}: expected texts`);
      if (!this.#split) return [value];
      return value === "" ? [] : value.split(",").map((part) => part.trim());
    });
  }

  /** A whole number from `least` on. */
  count(name: string, least = 0): number | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    const [value, ...others] = values;
    const isNumber = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
    const number = isNumber ? Number(value) : Number.NaN;
    if (others.length === 0 && Number.isSafeInteger(number) && number >= least) return number;
    throw new ArgumentError(`${name}: expected a whole number from ${least} on`);
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new ArgumentError(`${name} '${text}', expected ${choices.join(" or ")}`);
  }

  /** Row numbers: `5`, `0:10` (both ends inclusive, either may be left out), or numbers and [first, last] in JSON. */
  runs(name: string): Run[] | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    return values.flatMap((value) => {
      if (typeof value === "string") {
        return value === "" ? [] : value.split(",").map((part) => parseRun(name, part.trim()));
      }
      return [jsonRun(name, value)];
    });
  }
}

/** Rows that follow one another, both ends inclusive; null is the last row. */
export interface Run {
  readonly first: number;
  readonly last: number | null;
}

function parseRun(name: string, text: string): Run {
  const match = /^(?:(\d+)|(\d*):(\d*))$/.exec(text);
  if (match === null) {
    throw new ArgumentError(`${name} '${text}', expected a number or FIRST:LAST, both ends included`);
  }
  if (match[1] !== undefined) return checkRun(name, Number(match[1]), Number(match[1]));
  return checkRun(name, Number(match[2]), match[3] === "" ? null : Number(match[3]));
}

function jsonRun(name: string, value: unknown): Run {
  if (typeof value === "number") return checkRun(name, value, value);
  if (Array.isArray(value) && value.length === 2) return checkRun(name, value[0], value[1]);
  throw new ArgumentError(`${name}: expected numbers, [first, last] pairs or texts such as "0:10"`);
}

function checkRun(name: string, first: unknown, last: unknown): Run {
  if (!isRow(first) || !(last === null || isRow(last))) {
    throw new ArgumentError(`${name}: expected whole numbers from 0 on`);
  }
  if (last === null || first <= last) return { first, last };
  throw new ArgumentError(`${name} ${first}:${last} ends before it starts`);
}

function isRow(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function checkNames(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ArgumentError(`no parameter '${unknown}'; there are: ${known.join(", ") || "none"}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ArgumentError("the request's body is no JSON", { cause });
  }
}
