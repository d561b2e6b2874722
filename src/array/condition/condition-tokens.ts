import { ArgumentError } from "../../errors.js";
import { numberOf, textOf } from "./python-literals.js";
import type { ConditionValue } from "./query-condition.js";

/** The tokens of Python's expressions that conditions are made of. */
export interface Token {
  readonly kind: "name" | "number" | "string" | "symbol" | "end";
  /** As written, names in the normal form that Python compares them in. */
  readonly text: string;
  readonly at: number;
  /** Of numbers and strings. */
  readonly value?: ConditionValue;
}

const blank = String.raw`(?:[ \t\f\r\n]|\\\r?\n|#[^\n]*\n)*`;
const name = String.raw`[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{M}\p{N}\p{Pc}]*`;
const digits = String.raw`\d(?:_?\d)*`;
const float = String.raw`(?:${digits}\.(?:${digits})?|\.${digits})(?:[eE][+-]?${digits})?|${digits}[eE][+-]?${digits}`;
const based = "0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+";
const prefix = "(?:[bB][rR]?|[rR][bB]?|[uU])?";
const long = String.raw`'''(?:[^\\]|\\[\s\S])*?'''|"""(?:[^\\]|\\[\s\S])*?"""`;
const short = String.raw`'(?!'')(?:[^'\\\n]|\\[\s\S])*'|"(?!"")(?:[^"\\\n]|\\[\s\S])*"`;
const symbol = "==|!=|<=|>=|[<>()[\\]{},&|+-]";
const pattern = new RegExp(
  `${blank}(?:(${prefix}(?:${long}|${short}))|(${name})|(${based}|${float}|${digits})|(${symbol}))`,
  "uy",
);
const blanks = new RegExp(blank, "uy");
const wordAfterNumber = /(?!(?:and|or|in|is|not)\b)[\p{L}\p{N}_]/uy;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let from = 0; ; ) {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    if (match === null) {
      endOrProblem(text, from);
      tokens.push({ kind: "end", text: "the end", at: text.length });
      return tokens;
    }
    from = pattern.lastIndex;
    tokens.push(tokenOf(text, match, from));
  }
}

function tokenOf(text: string, match: RegExpExecArray, end: number): Token {
  const [, literal, word, number, operator] = match;
  if (word !== undefined) return { kind: "name", text: word.normalize("NFKC"), at: end - word.length };
  if (operator !== undefined) return { kind: "symbol", text: operator, at: end - operator.length };
  const written = (literal ?? number)!;
  const at = end - written.length;
  if (literal !== undefined) {
    const value = textOf(literal);
    if (value === undefined)
      throw problem(text, at, "a text with an escape or character that it cannot have");
    return { kind: "string", text: written, at, value };
  }
  wordAfterNumber.lastIndex = end;
  const value = wordAfterNumber.test(text) ? undefined : numberOf(written);
  if (value === undefined) throw problem(text, at, "this is no number");
  return { kind: "number", text: written, at, value };
}

function endOrProblem(text: string, from: number): void {
  blanks.lastIndex = from;
  blanks.exec(text);
  const at = blanks.lastIndex;
  if (at === text.length) return;
  const hints: Readonly<Record<string, string>> = {
    ".": `; a name with a dot is written attr("...")`,
    "=": "; equality is written ==",
    "~": "; a negation is written not",
  };
  throw problem(text, at, `this means nothing here${hints[text[at]!] ?? ""}`);
}

export function problem(text: string, at: number, message: string): ArgumentError {
  const shown = text.length <= 200 ? text : `${text.slice(0, 200)}...`;
  return new ArgumentError(`condition: ${message}, at character ${at + 1} of ${JSON.stringify(shown)}`);
}
