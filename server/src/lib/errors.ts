import { errors, type ErrorBody, type ErrorCode } from '@sluice/contract';

export interface ErrorDetails {
  /** The field that is wrong, as a path: `metadata.tags`. */
  param?: string;
  /** Overrides the registry's status, where OpenAI was observed to answer another one. */
  status?: number;
  headers?: Record<string, string>;
  /** What really happened, for the log only; a client never sees it. */
  cause?: unknown;
  /** OpenAI answers some errors with `code: null`; the stock clients compare it. */
  bare?: boolean;
}

/** A failure a client may see: a code of the registry and a sentence about this very case. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly param: string | null;
  readonly headers: Record<string, string>;
  readonly bare: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'ApiError';
    this.code = code;
    this.status = details.status ?? (errors[code].status || 400);
    this.param = details.param ?? null;
    this.headers = details.headers ?? {};
    this.bare = details.bare ?? false;
  }

  body(): ErrorBody {
    return { error: { message: this.message, type: errors[this.code].type, param: this.param, code: this.bare ? null : this.code } };
  }
}

/** The words of anything thrown, without its stack. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
