import { parseHosts } from './addresses.ts';
import { SourceError, type SourceSettings } from './facts.ts';
import { fetchHttps, httpsProblem } from './fetch-https.ts';
import { fetchS3, s3Problem } from './fetch-s3.ts';

export const noSources: SourceSettings = {
  hosts: null,
  s3Endpoint: null,
  s3Region: null,
  s3AccessKey: null,
  s3SecretKey: null,
  s3Buckets: null,
};

/** What forbids a source as it is written; null where nothing does. */
export const sourceProblem = (text: string, settings: SourceSettings, tenant: string): string | null => {
  if (!URL.canParse(text)) return 'It is no URL.';
  const url = new URL(text);
  if (url.protocol === 's3:') return s3Problem(url, settings, tenant);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'The URL must begin with https:// or s3://.';
  return httpsProblem(url, parseHosts(settings.hosts ?? '').hosts);
};

/** The bytes of a source, as they come. Rejects with `SourceError`, which says nothing of what lies behind this server. */
export async function* fetchSource(
  text: string,
  settings: SourceSettings,
  options: { maxBytes: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const url = new URL(text);
  try {
    if (url.protocol === 's3:') yield* fetchS3(url, settings, options);
    else yield* fetchHttps(url, parseHosts(settings.hosts ?? '').hosts, options);
  } catch (error) {
    if (error instanceof SourceError || options.signal.aborted) throw error;
    const cause = error instanceof Error && error.cause instanceof SourceError ? error.cause : null;
    if (cause !== null) throw cause;
    // Whether a port of ours is open is nobody's business: only what kind of trouble it was.
    throw new SourceError(`The source could not be read (${codeOf(error)}).`, false);
  }
}

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name does not resolve';
  return typeof code === 'string' && /CERT|SSL|TLS|SIGNED/.test(code)
    ? 'its certificate is not trusted'
    : 'no connection, or one that broke off';
};

/** A source as it may be shown: what stands behind `?` may be a key to it. */
export const shownUrl = (text: string): string => text.replace(/[?#].*$/s, '');

/** What a file that is fetched is called: the last name of its path. */
export const filenameOf = (text: string): string => {
  const last = shownUrl(text).split('/').at(-1)!;
  try {
    return decodeURIComponent(last) || 'source';
  } catch {
    return last;
  }
};
