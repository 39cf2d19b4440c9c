/** What the program's exit says; `docs/cli.md` lists them. */
export const exitCodes = {
  ok: 0,
  error: 1,
  cancelled: 2,
  /** A batch finished, some of its requests did not succeed, and `--fail-on-error` was given. */
  failures: 3,
  auth: 4,
  /** `--timeout` passed; the batch goes on. */
  timeout: 124,
  /** Ctrl-C, as shells have it; the batch goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the program: what happened, and what to do next. Nothing is printed where there is no message. */
export class Exit extends Error {
  readonly code: ExitCode;
  readonly next: string | null;

  constructor(code: ExitCode, message = '', next: string | null = null) {
    super(message);
    this.name = 'Exit';
    this.code = code;
    this.next = next;
  }
}
