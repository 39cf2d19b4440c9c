/**
 * The order of the requests of a batch in which most of a shared prompt prefix is reused: depth first through the tree
 * of their prefixes, so that requests with a common prefix stand together at every length. BlendServe (arXiv 2411.16102)
 * finds that a random order keeps less than 30 % of the sharing that this one has.
 */

/** Bytes of the rendered prompt that make one block, and how many blocks count. */
export const blockBytes = 256;
export const maxBlocks = 16;

/**
 * A request's path: a hash for each of its first blocks, each over all before it as well
 * (`h_i = H(h_{i-1} ‖ block_i)`), so that equal hashes mean equal prefixes. Source: scheduling.md 1.3.
 *
 * @param seed stands for what changes the prompt besides its text: model, template
 * @param hash any digest of two values; production gives it one, tests a plain one
 */
export const prefixPath = (prompt: Uint8Array, seed: string, hash: (before: string, block: Uint8Array) => string): string[] => {
  const path: string[] = [];
  let before = seed;
  // A last, shorter block is not a prefix that others can share.
  for (let from = 0; from + blockBytes <= prompt.length && path.length < maxBlocks; from += blockBytes) {
    before = hash(before, prompt.subarray(from, from + blockBytes));
    path.push(before);
  }
  return path;
};

/** Stands for a block and all before it; any two that differ are different prefixes. */
export type Block = string | number;

interface Node {
  size: number;
  /** Sum of the decode shares below. */
  decode: number;
  readonly children: Map<Block, Node>;
  /** Requests that end here. */
  readonly own: number[];
}

const newNode = (): Node => ({ size: 0, decode: 0, children: new Map(), own: [] });

/**
 * The order in which to run requests: indexes into `paths`, depth first; among siblings the one that decodes most per
 * request first (BatchLLM, arXiv 2412.03594: long decodes hide the prefills of the rest), then the largest; else as in the
 * input.
 *
 * @param decodes each request's expected share of decoding, 0–1; none: all alike
 */
export const prefixOrder = (paths: readonly (readonly Block[])[], decodes?: readonly number[]): number[] => {
  const root = newNode();
  paths.forEach((path, index) => {
    let node = root;
    const visit = (): void => {
      node.size += 1;
      node.decode += decodes?.[index] ?? 0;
    };
    visit();
    for (const block of path) {
      let next = node.children.get(block);
      if (next === undefined) node.children.set(block, (next = newNode()));
      node = next;
      visit();
    }
    node.own.push(index);
  });
  const order: number[] = [];
  const walk = (node: Node): void => {
    order.push(...node.own);
    const children = [...node.children.values()];
    if (children.length > 1) children.sort((a, b) => b.decode / b.size - a.decode / a.size || b.size - a.size);
    for (const child of children) walk(child);
  };
  walk(root);
  return order;
};

/** Each request's place in `order`: the rank its chunk is cut by. */
export const prefixRanks = (order: readonly number[]): Uint32Array => {
  const ranks = new Uint32Array(order.length);
  order.forEach((index, rank) => (ranks[index] = rank));
  return ranks;
};

/** Blocks that each request shares with the one before it in this order: what a prefix cache would not compute again. */
export const sharedBlocks = (paths: readonly (readonly Block[])[], order: readonly number[]): number =>
  order.reduce((sum, index, at) => sum + (at === 0 ? 0 : common(paths[order[at - 1]!]!, paths[index]!)), 0);

/** How many blocks two paths begin with that are the same. */
export const common = (a: readonly Block[], b: readonly Block[]): number => {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
};

/**
 * Cuts an order into chunks of at most `most` work, and earlier where a prefix ends once a chunk is at least half full, so
 * that a prefix is not computed by two workers.
 *
 * @param works estimated work of each request, by index
 * @returns runs of the order, each of at least one request
 */
export const cutChunks = (
  paths: readonly (readonly Block[])[],
  order: readonly number[],
  works: readonly number[],
  most: number,
): number[][] => {
  const chunks: number[][] = [];
  let chunk: number[] = [];
  let sum = 0;
  let depth = 0;
  for (const index of order) {
    const work = works[index] ?? 0;
    const last = chunk.at(-1);
    const shared = last === undefined ? 0 : common(paths[last]!, paths[index]!);
    if (last !== undefined && (sum + work > most || (shared < depth && sum >= most / 2))) {
      chunks.push(chunk);
      [chunk, sum, depth] = [[], 0, 0];
    } else depth = Math.max(depth, shared);
    chunk.push(index);
    sum += work;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
};
