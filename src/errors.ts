/**
 * The one error family of this package. Every error says what went wrong, where, and what was expected; callers
 * tell them apart by `code` (or by class), never by message.
 */

export type ErrorCode =
  /** Bytes that are not what the format says: cut, foreign or corrupt. */
  | "FORMAT"
  /** Well-formed, but a feature, version or filter that this package does not have. */
  | "UNSUPPORTED"
  /** No array, group, file, attribute, gene, column, ... of that name. */
  | "NOT_FOUND"
  /** Something is already there and `overwrite` was not given. */
  | "EXISTS"
  /** A range or index outside the domain. */
  | "RANGE"
  /** The caller's argument is wrong in itself. */
  | "ARGUMENT"
  /** A value does not fit where it should go: 70,000 into uint16, null into a non-nullable attribute. */
  | "VALUE"
  /** An encrypted array without its key or with another one, or a key for an array that is not encrypted. */
  | "ENCRYPTION"
  /** The storage below failed: permission, disk full, connection. */
  | "STORAGE"
  /** A stated limit would be exceeded, such as an allocation larger than the file can account for. */
  | "LIMIT"
  /** The caller's AbortSignal ended it. */
  | "ABORTED";

export interface ErrorDetails {
  /** File, URI or object that the error is about. */
  readonly where?: string;
  /** The underlying error. */
  readonly cause?: unknown;
}

export class CellarrError extends Error {
  readonly code: ErrorCode;
  /** The message without the place. */
  readonly problem: string;
  /** File, URI or object that the error is about, where known. */
  readonly where: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(
      details.where === undefined ? message : `${message} (${details.where})`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.problem = message;
    this.where = details.where;
  }
}

export class FormatError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("FORMAT", message, details);
  }
}

export class UnsupportedError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("UNSUPPORTED", message, details);
  }
}

export class NotFoundError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("NOT_FOUND", message, details);
  }
}

export class ExistsError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("EXISTS", message, details);
  }
}

/** A range or index outside the domain. Named so as not to hide the built-in RangeError. */
export class OutOfDomainError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("RANGE", message, details);
  }
}

export class ArgumentError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("ARGUMENT", message, details);
  }
}

export class ValueError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("VALUE", message, details);
  }
}

export class EncryptionError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("ENCRYPTION", message, details);
  }
}

export class StorageError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("STORAGE", message, details);
  }
}

/** What a server was asked it refuses, and would refuse again: no breakdown, and nothing that waiting helps. */
export class RefusedError extends StorageError {}

/** A file that was there when it was listed is gone, or is another one: what was opened was changed since. */
export class GoneError extends StorageError {}

export class LimitError extends CellarrError {
  constructor(message: string, details?: ErrorDetails) {
    super("LIMIT", message, details);
  }
}

export class AbortedError extends CellarrError {
  constructor(message = "aborted by the caller", details?: ErrorDetails) {
    super("ABORTED", message, details);
  }
}

/** True if `error` is of this family and, where given, has that code. */
export function isCellarrError(error: unknown, code?: ErrorCode): error is CellarrError {
  return error instanceof CellarrError && (code === undefined || error.code === code);
}

/** Throws `AbortedError` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError(undefined, { cause: signal.reason });
}
