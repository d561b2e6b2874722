import { StorageError } from "../../errors.js";

/**
 * Answers of object stores in XML: elements and text. Attributes and namespace prefixes are dropped, comments and
 * processing instructions skipped; a document type is refused, so no entity but the five of XML and numbers exists.
 */

export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string;
  /** The text directly inside, entities replaced. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  readonly name: string;
  /** As written, to compare with the end tag. */
  readonly tag: string;
  text: string;
  readonly children: OpenElement[];
}

/** Answers nest three or four deep. */
const MAX_DEPTH = 32;

/** The root element of `source`. Throws StorageError for what is no well-formed element. */
export function readXml(source: string, where: string): XmlElement {
  const top: OpenElement = { name: "", tag: "", text: "", children: [] };
  const open = [top];
  for (let at = 0; at < source.length; ) {
    const start = source.indexOf("<", at);
    const text = source.slice(at, start < 0 ? source.length : start);
    if (text !== "") open.at(-1)!.text += decodeEntities(text, where);
    if (start < 0) break;
    at = readMarkup(source, start, open, where);
  }
  if (open.length > 1) throw malformed(`<${open.at(-1)!.tag}> has no end`, where);
  if (top.children.length !== 1 || top.text.trim() !== "") throw malformed("expected one element", where);
  return top.children[0]!;
}

/** The first child of that name. */
export function xmlChild(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The text of the first child of that name. */
export function xmlText(element: XmlElement, name: string): string | undefined {
  return xmlChild(element, name)?.text;
}

/** Text for the inside of an element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Takes what begins with the "<" at `start`; returns the place after it. */
function readMarkup(source: string, start: number, open: OpenElement[], where: string): number {
  if (source.startsWith("<!--", start)) return after(source, "-->", start + 4, where);
  if (source.startsWith("<?", start)) return after(source, "?>", start + 2, where);
  if (source.startsWith("<![CDATA[", start)) {
    const end = after(source, "]]>", start + 9, where);
    open.at(-1)!.text += source.slice(start + 9, end - 3);
    return end;
  }
  if (source.startsWith("<!", start)) throw malformed("document types are not taken", where);
  const end = endOfTag(source, start + 1, where);
  if (source[start + 1] === "/") closeElement(source.slice(start + 2, end - 1).trimEnd(), open, where);
  else openElement(source.slice(start + 1, end - 1), open, where);
  return end;
}

function openElement(inside: string, open: OpenElement[], where: string): void {
  const tag = /^[^\s/=]+/.exec(inside)?.[0];
  if (tag === undefined) throw malformed(`<${inside.slice(0, 40)}> is no tag`, where);
  if (open.length > MAX_DEPTH) throw malformed(`more than ${MAX_DEPTH} elements in each other`, where);
  const element: OpenElement = { name: tag.slice(tag.indexOf(":") + 1), tag, text: "", children: [] };
  open.at(-1)!.children.push(element);
  if (!inside.endsWith("/")) open.push(element);
}

function closeElement(tag: string, open: OpenElement[], where: string): void {
  if (open.length === 1 || open.pop()!.tag !== tag) throw malformed(`</${tag}> closes nothing`, where);
}

/** The place after the ">" of a tag; values of attributes may have one. */
function endOfTag(source: string, start: number, where: string): number {
  let quote = "";
  for (let at = start; at < source.length; at++) {
    const letter = source[at]!;
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === ">") return at + 1;
    else if (letter === '"' || letter === "'") quote = letter;
  }
  throw malformed("a tag has no end", where);
}

function after(source: string, end: string, start: number, where: string): number {
  const at = source.indexOf(end, start);
  if (at < 0) throw malformed(`'${end}' is missing`, where);
  return at + end.length;
}

const ENTITIES = new Map([
  ["amp;", "&"],
  ["lt;", "<"],
  ["gt;", ">"],
  ["quot;", '"'],
  ["apos;", "'"],
]);

function decodeEntities(text: string, where: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;&\s]{0,10};?)/g, (all, name: string) => {
    const value = ENTITIES.get(name) ?? characterOf(name);
    if (value === undefined) throw malformed(`unknown entity '${all}'`, where);
    return value;
  });
}

/** Of "#10;" or "#xA;". */
function characterOf(name: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]+)|([0-9]+));$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function malformed(problem: string, where: string): StorageError {
  return new StorageError(`the server's XML is malformed: ${problem}`, { where });
}
