import type { Readable } from 'node:stream';
import { SourceError, type SourceSettings } from './facts.ts';

/** Buckets, and folders in them, that a tenant may read from: `models, shared/data/, lab-{tenant}`. */
const readable = (buckets: string, tenant: string): string[] =>
  buckets
    .replaceAll('{tenant}', tenant)
    .split(/[\s,]+/)
    .filter(Boolean);

export const s3Problem = (url: URL, { s3Buckets }: SourceSettings, tenant: string): string | null => {
  const [bucket, key] = placeOf(url);
  if (bucket === '' || key === '') return 'The URL must name a bucket and an object: s3://bucket/folder/file.csv.';
  const allowed = readable(s3Buckets ?? '', tenant).some((entry) => {
    const [own, ...folders] = entry.split('/');
    return own === bucket && key.startsWith(folders.join('/'));
  });
  // With the operator's credentials anything they open could be read: what may be is listed.
  return allowed ? null : `The operator of this server has not listed '${bucket}' among the buckets that may be read (sources.s3_buckets).`;
};

const placeOf = (url: URL): [bucket: string, key: string] => {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/?#]*)\/?(.*)$/.exec(url.href) ?? [];
  try {
    return [bucket, decodeURIComponent(key)];
  } catch {
    return [bucket, ''];
  }
};

/** What S3 says that no second try will change. */
const final = new Set(['NoSuchKey', 'NoSuchBucket', 'AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidObjectState']);

export async function* fetchS3(
  url: URL,
  settings: SourceSettings,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  // Loaded when it is used: it is large, and most servers never do.
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { s3Endpoint: endpoint, s3Region: region, s3AccessKey: accessKey, s3SecretKey: secretKey } = settings;
  const client = new S3Client({
    region: region ?? 'us-east-1',
    ...(endpoint !== null && { endpoint, forcePathStyle: true }),
    ...(accessKey !== null && secretKey !== null && { credentials: { accessKeyId: accessKey, secretAccessKey: secretKey } }),
  });
  const [Bucket, Key] = placeOf(url);
  try {
    const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal: signal });
    if (ContentLength > maxBytes) throw new SourceError(`The source has ${ContentLength} bytes; at most ${maxBytes} are allowed.`, true);
    yield* Body as Readable;
  } catch (error) {
    if (error instanceof SourceError || signal.aborted) throw error;
    const name = error instanceof Error ? error.name : 'an unknown error';
    throw new SourceError(`S3 answered ${name}.`, final.has(name));
  } finally {
    client.destroy();
  }
}
