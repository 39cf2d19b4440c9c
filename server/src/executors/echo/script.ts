import type { JsonObject } from '../executor.ts';

/** What `body.sluice_echo` asks for. */
export interface Script {
  /** Milliseconds before the answer. */
  delay_ms: number;
  /** The answer's HTTP status; from 400 on it is a failure. */
  status: number | null;
  /** Attempts that fail before one succeeds; null: every attempt does as the script says. */
  fail_times: number | null;
  /** How long the reply's body is, in bytes, where that is more than it needs. */
  bytes: number;
  /** End the process. */
  crash: boolean;
}

const most = { delay_ms: 3_600_000, fail_times: 1_000, bytes: 64 * 1024 * 1024 };

const plain: Script = { delay_ms: 0, status: null, fail_times: null, bytes: 0, crash: false };

const wholeBetween = (value: unknown, least: number, limit: number) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= limit;

/** The script of a body, or a sentence that names the field that is wrong. */
export const scriptOf = (body: JsonObject): Script | string => {
  const dimensions = body['dimensions'];
  if (dimensions !== undefined && !wholeBetween(dimensions, 1, 65_536)) return 'dimensions must be a whole number from 1 to 65536.';
  const given = body['sluice_echo'];
  if (given === undefined || given === null) return plain;
  if (typeof given !== 'object' || Array.isArray(given)) return 'sluice_echo must be an object.';
  for (const [name, value] of Object.entries(given)) {
    switch (name) {
      case 'delay_ms':
      case 'fail_times':
      case 'bytes':
        if (!wholeBetween(value, 0, most[name])) return `sluice_echo.${name} must be a whole number from 0 to ${most[name]}.`;
        break;
      case 'status':
        if (!wholeBetween(value, 200, 599)) return 'sluice_echo.status must be a whole number from 200 to 599.';
        break;
      case 'crash':
        if (typeof value !== 'boolean') return 'sluice_echo.crash must be true or false.';
        break;
      default:
        return `sluice_echo.${name} is not known; it takes delay_ms, status, fail_times, bytes and crash.`;
    }
  }
  return { ...plain, ...(given as Partial<Script>) };
};
