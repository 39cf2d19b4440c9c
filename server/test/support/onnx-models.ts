/**
 * ONNX models for tests, each as the bytes of its file. Weights are made up from a fixed seed, so that a model is the
 * same in every run. `x` is the input and `y` the output where nothing else is said.
 */
import { attribute, floats, graph, ints, model, node, port, tensor, type About, type Dim, type Dtype } from './onnx-writer.ts';

/** Numbers between -1 and 1, the same for the same seed (mulberry32). */
const numbers = (seed: number, count: number, scale = 1): Float32Array => {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return scale * (((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1);
  });
};

/** y = x, of any type and shape; `identity('float32', ['N', 3, 224, 224])`. */
export const identity = (type: Dtype, dims: readonly Dim[], about: About = {}): Uint8Array =>
  model({ nodes: [node('Identity', ['x'], ['y'])], inputs: [port('x', type, dims)], outputs: [port('y', type, dims)] }, about);

/** y string[N, 2] = x. */
export const stringIdentity = (): Uint8Array => identity('string', ['N', 2]);

/** y int64[N, 3] = x: shows whether 2^53 + 1 arrives. */
export const int64Identity = (): Uint8Array => identity('int64', ['N', 3]);

/** x float32[N, sizes[0]] through fully connected layers with ReLU between them, to y float32[N, sizes.at(-1)]. */
export const mlp = (sizes: readonly number[], { seed = 1, first = 'N' }: { seed?: number; first?: Dim } = {}): Uint8Array => {
  const layers = sizes.slice(1).map((width, i) => ({ from: sizes[i]!, width, last: i === sizes.length - 2 }));
  return model(
    {
      nodes: layers.flatMap(({ last }, i) => {
        const gemm = node('Gemm', [i === 0 ? 'x' : `h${i - 1}`, `w${i}`, `b${i}`], [last ? 'y' : `g${i}`]);
        return last ? [gemm] : [gemm, node('Relu', [`g${i}`], [`h${i}`])];
      }),
      inputs: [port('x', 'float32', [first, sizes[0]!])],
      outputs: [port('y', 'float32', [first, sizes.at(-1)!])],
      initializers: layers.flatMap(({ from, width }, i) => [
        tensor(`w${i}`, 'float32', [from, width], numbers(seed + 2 * i, from * width, Math.sqrt(3 / from))),
        tensor(`b${i}`, 'float32', [width], numbers(seed + 2 * i + 1, width, 0.1)),
      ]),
    },
    { metadata: { author: 'test' } },
  );
};

/** 64-128-128-10: 105 KB, 8 µs a row alone. */
export const smallMlp = (): Uint8Array => mlp([64, 128, 128, 10]);

/** 256-1024-1024-10: 1.3 million parameters, 5.3 MB; gains 4 times from batches of 8. */
export const bigMlp = (): Uint8Array => mlp([256, 1024, 1024, 10]);

/** x float32[N, 3, 64, 64], two convolutions, a pool, y float32[N, 10]: gains nothing from batches. */
export const convNet = ({ size = 64 }: { size?: number } = {}): Uint8Array => {
  const conv = (i: number, from: string, to: string) =>
    node('Conv', [from, `w${i}`, `b${i}`], [to], attribute.ints('kernel_shape', [3, 3]), attribute.ints('pads', [1, 1, 1, 1]));
  return model({
    nodes: [
      conv(0, 'x', 'c0'),
      node('Relu', ['c0'], ['r0']),
      conv(1, 'r0', 'c1'),
      node('Relu', ['c1'], ['r1']),
      node('GlobalAveragePool', ['r1'], ['p']),
      node('Flatten', ['p'], ['f']),
      node('Gemm', ['f', 'w2', 'b2'], ['y']),
    ],
    inputs: [port('x', 'float32', ['N', 3, size, size])],
    outputs: [port('y', 'float32', ['N', 10])],
    initializers: [
      tensor('w0', 'float32', [32, 3, 3, 3], numbers(1, 32 * 27, 0.3)),
      tensor('b0', 'float32', [32], numbers(2, 32, 0.1)),
      tensor('w1', 'float32', [32, 32, 3, 3], numbers(3, 32 * 288, 0.1)),
      tensor('b1', 'float32', [32], numbers(4, 32, 0.1)),
      tensor('w2', 'float32', [32, 10], numbers(5, 320, 0.3)),
      tensor('b2', 'float32', [10], numbers(6, 10, 0.1)),
    ],
  });
};

/** y = x less the mean of all rows: a row's answer depends on its company. x float32[N, 4]. */
export const crossRow = (): Uint8Array =>
  model({
    nodes: [node('ReduceMean', ['x'], ['m'], attribute.ints('axes', [0]), attribute.int('keepdims', 1)), node('Sub', ['x', 'm'], ['y'])],
    inputs: [port('x', 'float32', ['N', 4])],
    outputs: [port('y', 'float32', ['N', 4])],
  });

/** y = 2x for one row and no more. x float32[1, 4]. */
export const fixedBatch = (): Uint8Array =>
  model({
    nodes: [node('Add', ['x', 'x'], ['y'])],
    inputs: [port('x', 'float32', [1, 4])],
    outputs: [port('y', 'float32', [1, 4])],
  });

/**
 * Shaped as Silero VAD: `input` float32['', ''], `state` float32[2, '', 8] with rows along its second axis, `sr` a
 * scalar that all rows share; `output` float32['', 1] = mean of the row times sr, `stateN` = state + 1.
 */
export const secondAxis = (): Uint8Array =>
  model({
    nodes: [
      node('ReduceMean', ['input'], ['mean'], attribute.ints('axes', [1]), attribute.int('keepdims', 1)),
      node('Cast', ['sr'], ['rate'], attribute.int('to', 1)),
      node('Mul', ['mean', 'rate'], ['output']),
      node('Add', ['state', 'one'], ['stateN']),
    ],
    inputs: [port('input', 'float32', ['', '']), port('state', 'float32', [2, '', 8]), port('sr', 'int64', [])],
    outputs: [port('output', 'float32', ['', 1]), port('stateN', 'float32', [2, '', 8])],
    initializers: [floats('one', [], [1])],
  });

/** Two inputs of different types: y float32[N, 2] = a + 2b; a float32[N, 2], b int64[N, 2]. */
export const twoInputs = (): Uint8Array =>
  model({
    nodes: [node('Cast', ['b'], ['c'], attribute.int('to', 1)), node('Add', ['c', 'c'], ['d']), node('Add', ['a', 'd'], ['y'])],
    inputs: [port('a', 'float32', ['N', 2]), port('b', 'int64', ['N', 2])],
    outputs: [port('y', 'float32', ['N', 2])],
  });

/** y float32[N] = 1 / x: not finite at 0. */
export const reciprocal = (): Uint8Array =>
  model({
    nodes: [node('Reciprocal', ['x'], ['y'])],
    inputs: [port('x', 'float32', ['N'])],
    outputs: [port('y', 'float32', ['N'])],
  });

interface Tree {
  roots: number;
  features: number;
  depth: number;
}

/** Attributes that tree ensembles of both kinds share: full binary trees of made-up splits. */
const splits = ({ roots, features, depth }: Tree, seed: number) => {
  const inner = 2 ** depth - 1;
  const perTree = 2 * inner + 1;
  const thresholds = numbers(seed, roots * perTree);
  const all = Array.from({ length: roots * perTree }, (_, at) => ({ tree: Math.floor(at / perTree), id: at % perTree }));
  const isInner = (id: number) => id < inner;
  const leaves = all.filter(({ id }) => !isInner(id));
  return {
    leaves,
    attributes: [
      attribute.ints(
        'nodes_treeids',
        all.map(({ tree }) => tree),
      ),
      attribute.ints(
        'nodes_nodeids',
        all.map(({ id }) => id),
      ),
      attribute.ints(
        'nodes_featureids',
        all.map(({ id, tree }) => (isInner(id) ? (id + tree) % features : 0)),
      ),
      attribute.floats(
        'nodes_values',
        all.map(({ id }, at) => (isInner(id) ? thresholds[at]! : 0)),
      ),
      attribute.strings(
        'nodes_modes',
        all.map(({ id }) => (isInner(id) ? 'BRANCH_LEQ' : 'LEAF')),
      ),
      attribute.ints(
        'nodes_truenodeids',
        all.map(({ id }) => (isInner(id) ? 2 * id + 1 : 0)),
      ),
      attribute.ints(
        'nodes_falsenodeids',
        all.map(({ id }) => (isInner(id) ? 2 * id + 2 : 0)),
      ),
    ],
  };
};

const ml: About = { opsets: { '': 15, 'ai.onnx.ml': 1 } };

/** A random forest as scikit-learn's: x float32[N, 4] to `label` int64[N] and `probabilities` float32[N, 3]. */
export const forest = ({ roots = 20, features = 4, depth = 4 }: Partial<Tree> = {}): Uint8Array => {
  const classes = 3;
  const { attributes, leaves } = splits({ roots, features, depth }, 7);
  const shares = leaves.map(({ id }) => id % classes);
  return model(
    {
      nodes: [
        node(
          'ai.onnx.ml:TreeEnsembleClassifier',
          ['x'],
          ['label', 'probabilities'],
          ...attributes,
          attribute.ints(
            'class_treeids',
            leaves.map(({ tree }) => tree),
          ),
          attribute.ints(
            'class_nodeids',
            leaves.map(({ id }) => id),
          ),
          attribute.ints('class_ids', shares),
          attribute.floats(
            'class_weights',
            leaves.map(() => 1 / roots),
          ),
          attribute.ints('classlabels_int64s', [0, 1, 2]),
          attribute.string('post_transform', 'NONE'),
        ),
      ],
      inputs: [port('x', 'float32', ['N', features])],
      outputs: [port('label', 'int64', ['N']), port('probabilities', 'float32', ['N', classes])],
    },
    ml,
  );
};

/** Boosted trees as scikit-learn's: x float32[N, 10] to y float32[N, 1]. */
export const boostedTrees = ({ roots = 50, features = 10, depth = 3 }: Partial<Tree> = {}): Uint8Array => {
  const { attributes, leaves } = splits({ roots, features, depth }, 11);
  const weights = numbers(13, leaves.length);
  return model(
    {
      nodes: [
        node(
          'ai.onnx.ml:TreeEnsembleRegressor',
          ['x'],
          ['y'],
          ...attributes,
          attribute.ints(
            'target_treeids',
            leaves.map(({ tree }) => tree),
          ),
          attribute.ints(
            'target_nodeids',
            leaves.map(({ id }) => id),
          ),
          attribute.ints(
            'target_ids',
            leaves.map(() => 0),
          ),
          attribute.floats('target_weights', [...weights]),
          attribute.int('n_targets', 1),
        ),
      ],
      inputs: [port('x', 'float32', ['N', features])],
      outputs: [port('y', 'float32', ['N', 1])],
    },
    ml,
  );
};

/** A scaler and a logistic regression as scikit-learn's: x float32[N, 30] to `label` int64[N], `probabilities` float32[N, 2]. */
export const logistic = ({ features = 30 }: { features?: number } = {}): Uint8Array => {
  const weights = [...numbers(17, features)];
  return model(
    {
      nodes: [
        node(
          'ai.onnx.ml:Scaler',
          ['x'],
          ['s'],
          attribute.floats('offset', [...numbers(19, features)]),
          attribute.floats('scale', [...numbers(23, features)].map(Math.abs)),
        ),
        node(
          'ai.onnx.ml:LinearClassifier',
          ['s'],
          ['label', 'probabilities'],
          attribute.floats('coefficients', [...weights.map((weight) => -weight), ...weights]),
          attribute.floats('intercepts', [-0.5, 0.5]),
          attribute.ints('classlabels_ints', [0, 1]),
          attribute.string('post_transform', 'LOGISTIC'),
        ),
      ],
      inputs: [port('x', 'float32', ['N', features])],
      outputs: [port('label', 'int64', ['N']), port('probabilities', 'float32', ['N', 2])],
    },
    ml,
  );
};

/** Its loop's condition is always true and its count is not given: it loads, and runs for ever. x float32[N]. */
export const endless = (): Uint8Array => {
  const body = graph({
    nodes: [node('Identity', ['go'], ['goes']), node('Add', ['v', 'one'], ['w'])],
    inputs: [port('i', 'int64', []), port('go', 'bool', []), port('v', 'float32', ['N'])],
    outputs: [port('goes', 'bool', []), port('w', 'float32', ['N'])],
  });
  return model({
    nodes: [node('Loop', ['', 'true', 'x'], ['y'], attribute.graph('body', body))],
    inputs: [port('x', 'float32', ['N'])],
    outputs: [port('y', 'float32', ['N'])],
    initializers: [tensor('true', 'bool', [], Uint8Array.of(1)), floats('one', [], [1])],
  });
};

/** Goes round a loop as often as the greatest of its inputs says (int64[N]), then gives them back: 1,400 rounds a ms. */
export const countedLoop = (): Uint8Array => {
  const body = graph({
    nodes: [node('Identity', ['go'], ['goes']), node('Add', ['v', 'one'], ['w'])],
    inputs: [port('i', 'int64', []), port('go', 'bool', []), port('v', 'int64', [])],
    outputs: [port('goes', 'bool', []), port('w', 'int64', [])],
  });
  return model({
    nodes: [
      node('ReduceMax', ['x'], ['count'], attribute.int('keepdims', 0)),
      node('Loop', ['count', 'true', 'zero'], ['rounds'], attribute.graph('body', body)),
      // What the loop counted is part of the answer, or it would not run.
      node('Mul', ['rounds', 'zero'], ['nothing']),
      node('Add', ['x', 'nothing'], ['y']),
    ],
    inputs: [port('x', 'int64', ['N'])],
    outputs: [port('y', 'int64', ['N'])],
    initializers: [tensor('true', 'bool', [], Uint8Array.of(1)), ints('zero', [], [0]), ints('one', [], [1])],
  });
};

/** A few bytes that ask for gigabytes: x float32[1] expanded to `elements`, y float32[] their sum. */
export const expandBomb = (elements = 1_000_000_000): Uint8Array =>
  model({
    nodes: [node('Expand', ['x', 'to'], ['all']), node('ReduceMax', ['all'], ['y'], attribute.int('keepdims', 0))],
    inputs: [port('x', 'float32', [1])],
    outputs: [port('y', 'float32', [])],
    initializers: [ints('to', [1], [elements])],
  });

/** Fills as many float32 as its inputs multiply to, and says their sum: x int64[2], y float32[]. */
export const fillBomb = (): Uint8Array =>
  model({
    nodes: [node('ConstantOfShape', ['x'], ['all']), node('ReduceSum', ['all'], ['y'], attribute.int('keepdims', 0))],
    inputs: [port('x', 'int64', [2])],
    outputs: [port('y', 'float32', [])],
  });

/** Quantised by the range of the whole batch, as a model with dynamic quantisation: rows change each other's digits. x float32[N, 4]. */
export const batchQuantised = (): Uint8Array =>
  model({
    nodes: [node('DynamicQuantizeLinear', ['x'], ['q', 'scale', 'zero']), node('DequantizeLinear', ['q', 'scale', 'zero'], ['y'])],
    inputs: [port('x', 'float32', ['N', 4])],
    outputs: [port('y', 'float32', ['N', 4])],
  });

/** Other numbers each time. x float32[N, 4]. */
export const noisy = (): Uint8Array =>
  model({
    nodes: [node('RandomNormalLike', ['x'], ['r']), node('Add', ['x', 'r'], ['y'])],
    inputs: [port('x', 'float32', ['N', 4])],
    outputs: [port('y', 'float32', ['N', 4])],
  });

/** As many rows as x float32[N] has values above 0; `rows` is what it declares. */
export const choosy = ({ rows = 'M' }: { rows?: Dim } = {}): Uint8Array =>
  model({
    nodes: [node('Greater', ['x', 'zero'], ['above']), node('Compress', ['x', 'above'], ['y'], attribute.int('axis', 0))],
    inputs: [port('x', 'float32', ['N'])],
    outputs: [port('y', 'float32', [rows])],
    initializers: [floats('zero', [], [0])],
  });

/** y float32[N] = log(-1 - |x|): never a number. */
export const neverFinite = (): Uint8Array =>
  model({
    nodes: [node('Abs', ['x'], ['a']), node('Neg', ['a'], ['n']), node('Sub', ['n', 'one'], ['m']), node('Log', ['m'], ['y'])],
    inputs: [port('x', 'float32', ['N'])],
    outputs: [port('y', 'float32', ['N'])],
    initializers: [floats('one', [], [1])],
  });
