import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Lines of it that say more than where the program began. */
const most = 20;

/**
 * Where an error comes from, for its owner: names and lines of this program's files, without the place it is installed
 * at, and without what looks like a secret in the words of whatever threw.
 */
export const tracebackOf = (error: Error): string =>
  (error.stack ?? `${error.name}: ${error.message}`)
    .split('\n')
    .slice(0, most)
    .join('\n')
    .replaceAll(`file://${root}`, '')
    .replaceAll(root, '')
    .replaceAll(/\/\/[^\s/@:]+:[^\s/@]+@/g, '//[redacted]@')
    .replaceAll(/\b(Bearer|Basic)\s+\S+/gi, '$1 [redacted]')
    .replaceAll(/\b(sk|key|token|secret|password)([-_=:])\S{6,}/gi, '$1$2[redacted]');
