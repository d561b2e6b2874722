/** What servers say of errors: XML of S3 and Azure, JSON of Google, or plain text. */

export interface ServerMessage {
  /** Such as "SlowDown", "AccessDenied", "BlobNotFound". */
  readonly code: string | undefined;
  readonly message: string | undefined;
}

const MAX_TEXT = 200;

export function serverMessage(bytes: Uint8Array): ServerMessage {
  const text = new TextDecoder().decode(bytes).trim();
  if (text.startsWith("{")) return jsonMessage(text);
  const code = element(text, "Code");
  const message = element(text, "Message");
  if (code !== undefined || message !== undefined) return { code, message };
  // Pages are made for people's eyes.
  return { code: undefined, message: text === "" || text.startsWith("<") ? undefined : shorten(text) };
}

/** "code: message" as far as they are known; "" where nothing is. */
export function messageText({ code, message }: ServerMessage): string {
  return [code, message].filter((part) => part !== undefined).join(": ");
}

function element(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found === undefined || found === "" ? undefined : shorten(unescapeXml(found));
}

/** Text of XML elements, with the entities that XML itself knows. */
export function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(lt|gt|quot|apos|amp));/g,
    (whole, hex, digits, name) => {
      if (name !== undefined) return named[name as string]!;
      const code = hex === undefined ? Number(digits) : Number.parseInt(hex as string, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

function jsonMessage(text: string): ServerMessage {
  const none = { code: undefined, message: undefined };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return none;
  }
  const error = field(value, "error") ?? value;
  if (typeof error === "string") return { code: error, message: textOf(field(value, "error_description")) };
  return {
    code: textOf(field(error, "status") ?? field(error, "code")),
    message: textOf(field(error, "message")),
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? shorten(value) : undefined;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}...` : line;
}
