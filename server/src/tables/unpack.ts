import { Transform, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression } from './recognise.ts';

/** A file that unpacks to more than it may. */
export class Bomb extends Error {}

export interface UnpackLimits {
  /** Bytes the unpacked file may have. */
  maxBytes: number;
  /** Unpacked bytes for a packed one, once there are more of them than a harmless file of zeros would give. */
  maxRatio: number;
}

/** Below so many unpacked bytes no ratio is asked for. */
const harmless = 64 << 20;

export const defaultUnpack: UnpackLimits = { maxBytes: 50_000_000_000, maxRatio: 200 };

/** The unpacked bytes of a stream. Ends with a `Bomb` where there are too many of them, for what came in or at all. */
export const unpack = (packed: Readable, compression: Compression, { maxBytes, maxRatio }: UnpackLimits = defaultUnpack): Readable => {
  let [came, went] = [0, 0];
  const counting = new Transform({
    transform(piece: Buffer, _encoding, done) {
      came += piece.length;
      done(null, piece);
    },
  });
  const checking = new Transform({
    transform(piece: Buffer, _encoding, done) {
      went += piece.length;
      if (went > maxBytes) done(new Bomb(`The file unpacks to more than ${maxBytes.toLocaleString('en')} bytes.`));
      else if (went > harmless && went > came * maxRatio) done(new Bomb(`The file unpacks to more than ${maxRatio} times its size.`));
      else done(null, piece);
    },
  });
  const opened = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  const fail = (error: Error): void => void checking.destroy(error);
  packed.once('error', fail);
  counting.once('error', fail);
  opened.once('error', (error) => fail(new Error(`The file cannot be unpacked: ${error.message}.`)));
  checking.once('close', () => {
    for (const stream of [packed, counting, opened]) stream.destroy();
  });
  return packed.pipe(counting).pipe(opened).pipe(checking);
};
