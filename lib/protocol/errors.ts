/**
 * Each way in which reqcast can refuse something or report a fault. Codes are stable: match on them, not on messages.
 */
export type ErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_TOPIC'
  | 'INVALID_PATTERN'
  | 'INVALID_DATA'
  | 'INVALID_QUERY'
  | 'PATH_TAKEN'
  | 'CLOSED'
  | 'NO_SERVER'
  | 'OVERLOADED'
  | 'PROXY_WITHOUT_AUTHORIZE'
  | 'TARGET_INVALID'
  | 'TARGET_NOT_FOUND'
  | 'TARGET_UNREACHABLE'
  | 'TARGET_TIMEOUT'
  | 'TARGET_FORBIDDEN'
  | 'TARGET_FAILED'
  | 'BODY_LOST'
  | 'TOKEN_INVALID'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_USED'
  | 'TOKEN_FILE_INVALID'
  | 'SOCKET_IN_USE'
  | 'SOCKET_UNSAFE'
  | 'JOURNAL_OPEN_FAILED'
  | 'JOURNAL_UNREACHABLE'
  | 'JOURNAL_WRITE_FAILED'
  | 'JOURNAL_READ_FAILED'
  | 'JOURNAL_CORRUPT'
  | 'JOURNAL_STATE_FAILED'
  | 'JOURNAL_ROTATE_FAILED'
  | 'CALLBACK_FAILED';

/** The one error class. `code` is stable, `message` says what happened and what to do, `cause` is kept. */
export class ReqcastError extends Error {
  override readonly name = 'ReqcastError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Any value in a message: what has no text of its own, or throws when asked for it, is told by its type. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `of type ${typeof value}`;
  }
}
