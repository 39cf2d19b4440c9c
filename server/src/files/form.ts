import { maxExpirySeconds, minExpirySeconds, uploadPurposes, type UploadPurpose } from '@sluice/contract';
import { ApiError } from '../lib/errors.ts';

/** What `POST /v1/files` sends besides the file. */
export interface FileFields {
  purpose: UploadPurpose | null;
  anchor: string | null;
  seconds: number | null;
}

const isPurpose = (value: string): value is UploadPurpose => (uploadPurposes as readonly string[]).includes(value);

const invalid = (param: string, sentence: string): ApiError => new ApiError('invalid_value', sentence, { param });

/** Takes one field into `fields`; throws where it is unknown, comes twice, or has a wrong value. */
export const takeField = (fields: FileFields, name: string, value: string): void => {
  const once = (taken: unknown, param: string) => {
    if (taken !== null) throw new ApiError('invalid_request', `The field '${param}' was sent twice.`, { param });
  };
  switch (name) {
    case 'purpose':
      once(fields.purpose, 'purpose');
      if (!isPurpose(value))
        throw invalid('purpose', `Invalid value: '${value.slice(0, 100)}'. Supported values are: '${uploadPurposes.join("', '")}'.`);
      fields.purpose = value;
      return;
    case 'expires_after[anchor]':
      once(fields.anchor, 'expires_after.anchor');
      if (value !== 'created_at')
        throw invalid('expires_after.anchor', `Invalid value: '${value.slice(0, 100)}'. Value must be 'created_at'.`);
      fields.anchor = value;
      return;
    case 'expires_after[seconds]': {
      once(fields.seconds, 'expires_after.seconds');
      const seconds = /^\d{1,12}$/.test(value) ? Number(value) : NaN;
      if (!(seconds >= minExpirySeconds && seconds <= maxExpirySeconds)) {
        const rule = `Expected an integer from ${minExpirySeconds} to ${maxExpirySeconds}`;
        throw invalid('expires_after.seconds', `Invalid 'expires_after.seconds': ${rule}, but got '${value.slice(0, 100)}' instead.`);
      }
      fields.seconds = seconds;
      return;
    }
    default:
      throw new ApiError('unknown_parameter', `Unknown parameter: '${name.slice(0, 100)}'.`, { param: name.slice(0, 100) });
  }
};

const missing = (param: string): ApiError =>
  new ApiError('missing_required_parameter', `Missing required parameter: '${param}'.`, { param });

/** The fields once all have come; throws where one is missing. */
export const wholeFields = ({ purpose, anchor, seconds }: FileFields): { purpose: UploadPurpose; expiresSeconds?: number } => {
  if (purpose === null) throw missing('purpose');
  if (anchor === null && seconds === null) return { purpose };
  if (anchor === null) throw missing('expires_after.anchor');
  if (seconds === null) throw missing('expires_after.seconds');
  return { purpose, expiresSeconds: seconds };
};
