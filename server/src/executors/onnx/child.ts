/**
 * The process that runs an ONNX model: reads slices from descriptor 3 with blocking calls, answers each there, and
 * notes on descriptor 4 (a file that the executor holds too) how far it is, so that when it hangs or dies the
 * executor knows which row did it. It is killed, never asked, to stop.
 */
// oxlint-disable-next-line import/no-unassigned-import -- it is imported for what it does
import './float16.ts';
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { featureCount } from '../../chemistry/feature-layout.ts';
import { Featuriser } from '../../chemistry/features.ts';
import { endWithParent } from '../../lib/orphan.ts';
import { Outgoing, serveRuns, tensorOf, typed, type Feeds, type Values } from './runs.ts';
import { Inbox, readFully, writeFully } from '../../lib/frames.ts';
import { frameOf, type LoadHead, type ResultHead, type RowFailure, type RunsHead, type RunsResultHead, type SliceHead } from './wire.ts';

const socket = 3;
const progress = 4;
const shared = 5;
const features = 6;

endWithParent();

const words = (error: unknown) => (error instanceof Error ? error.message : String(error));

const inbox = new Inbox(socket);
const receive = (): { head: unknown; bytes: Uint8Array } => {
  const frame = inbox.next();
  if (!frame) process.exit(0);
  return { head: JSON.parse(frame.head.toString()), bytes: frame.bytes };
};

/** Kept between slices: fresh memory would cost a page fault for every 4 kB. */
let room = new ArrayBuffer(1 << 20);
const roomFor = (bytes: number): ArrayBuffer => {
  if (bytes > room.byteLength) room = new ArrayBuffer(bytes);
  return room;
};
const fetchShared = ({ at, bytes }: { at: number; bytes: number }): ArrayBuffer => {
  roomFor(bytes);
  if (!readFully(shared, new Uint8Array(room, 0, bytes), at)) throw new Error('the shared file is cut short');
  return room;
};

/** A count that moves with every step, and the row at work (-1: not one alone). */
const mark = new Int32Array(2);
const note = (row: number) => {
  mark[0]!++;
  mark[1] = row;
  writeSync(progress, new Uint8Array(mark.buffer), 0, 8, 0);
};

/** Row `row` of tensors that hold `rows`: with a first dimension of 1 where they were batched. */
const rowOf = (feeds: Feeds, row: number, rows: number, batched: boolean): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const data = tensor.data as Float32Array;
      const size = data.length / rows;
      const dims = batched ? [1, ...tensor.dims.slice(1)] : tensor.dims.slice(1);
      return [name, new Tensor(tensor.type as 'float32', data.subarray(row * size, (row + 1) * size), dims)];
    }),
  );

const first = receive().head as LoadHead;
let session: InferenceSession;
let featuriser: Featuriser | null = null;
try {
  // By path, never from memory: a model in memory may read external data from the working directory.
  session = await InferenceSession.create(first.path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  });
  if (first.smiles) featuriser = await Featuriser.create(first.features ? features : null);
} catch (error) {
  writeFully(socket, frameOf({ ok: false, message: words(error) }));
  process.exit(0);
}
const ports = (metadata: readonly InferenceSession.ValueMetadata[]) =>
  metadata.map((port) => ({
    name: port.name,
    type: port.isTensor ? port.type : 'not a tensor',
    shape: port.isTensor ? [...port.shape] : [],
  }));
writeFully(socket, frameOf({ ok: true, inputs: ports(session.inputMetadata), outputs: ports(session.outputMetadata) }));
// It will be killed, and would leave nothing for the next one.
flushCompileCache();
const onlyInput = session.inputNames[0]!;

/** The features of the molecules that are some, and failures for the others. */
const featurise = (smiles: readonly string[], failed: RowFailure[], at: (row: number) => void = note): { feeds: Feeds; rows: number[] } => {
  const features = new Float32Array(smiles.length * featureCount);
  const rows: number[] = [];
  featuriser!.forgetLog();
  smiles.forEach((text, row) => {
    at(row);
    let reason: string | null;
    try {
      reason = featuriser!.fill(text, features, rows.length * featureCount);
    } catch (error) {
      // After a WASM error every later call would fail too: end here, and the executor blames this row.
      process.stderr.write(`RDKit failed on it: ${words(error)}\n`);
      process.exit(70);
    }
    if (reason === null) rows.push(row);
    else failed.push({ row, code: 'invalid_input', message: `inputs.smiles: ${reason}` });
  });
  const used = features.subarray(0, rows.length * featureCount);
  return { feeds: { [onlyInput]: new Tensor('float32', used, [rows.length, featureCount]) }, rows };
};

type Results = InferenceSession.ReturnType;

/** One result from several of one row each; the executor sends alone what may differ in size. */
const joined = (parts: readonly Results[]): [string, Tensor][] =>
  Object.entries(parts[0] ?? {}).map(([name, { type, dims, size, data }]): [string, Tensor] => {
    const all = [parts.length, ...(dims[0] === 1 ? dims.slice(1) : dims)];
    const each = parts.map((part) => part[name]!.data);
    if (type === 'string') return [name, new Tensor('string', each.flat() as string[], all)];
    const kind = type as Values;
    const values = typed(kind, new ArrayBuffer(size * parts.length * (data as Float32Array).BYTES_PER_ELEMENT), 0, size * parts.length);
    each.forEach((part, index) => (values as Float32Array).set(part as Float32Array, index * size));
    return [name, new Tensor(kind, values, all)];
  });

const infer = async (feeds: Feeds, rows: number[], single: boolean, failed: RowFailure[]): Promise<[string, Tensor][]> => {
  if (rows.length === 0) return [];
  if (!single) {
    note(-1);
    try {
      const results = await session.run(feeds);
      const tensors = Object.entries<Tensor>(results);
      if (tensors.every(([, tensor]) => tensor.dims[0] === rows.length)) return tensors;
      // The model does not keep rows apart by the first dimension: each goes alone.
    } catch {
      // One row may have spoilt it for all: each goes alone.
    }
  }
  const parts: Results[] = [];
  let size: string | null = null;
  for (const [index, row] of rows.entries()) {
    note(row);
    try {
      const part = await session.run(rowOf(feeds, index, rows.length, !single));
      const shape = Object.values(part)
        .map((tensor) => tensor.size)
        .join();
      if (size !== null && size !== shape) throw new Error('its output has another size than those of the rows beside it');
      size = shape;
      parts.push(part);
    } catch (error) {
      failed.push({ row, code: 'executor_error', message: words(error) });
    }
  }
  return joined(parts);
};

const post = (head: ResultHead | RunsResultHead, { size, parts }: Outgoing) =>
  writeFully(socket, Buffer.concat([frameOf(head, size), ...parts]));

const answer = (tensors: [string, Tensor][], startedAt: number, ms: number, failed: RowFailure[]) => {
  const outgoing = new Outgoing();
  post({ startedAt, ms, failed, tensors: outgoing.add(tensors) }, outgoing);
};

const memoryOf = ({ shared }: RunsHead, bytes: Uint8Array): ArrayBuffer => {
  if (shared) return fetchShared(shared);
  new Uint8Array(roomFor(bytes.length)).set(bytes);
  return room;
};

while (true) {
  const { head: received, bytes } = receive();
  if ((received as RunsHead).runs) {
    await serveRuns(received as RunsHead, memoryOf(received as RunsHead, bytes), { session, featurise, note, send: post });
    continue;
  }
  const head = received as SliceHead;
  const startedAt = Date.now();
  const began = performance.now();
  const failed: RowFailure[] = [];
  const tensorsOf = () => {
    const memory = fetchShared(head.shared!);
    return Object.fromEntries(head.tensors!.map((tensor) => tensorOf(tensor, memory)));
  };
  const { feeds, rows } = head.smiles
    ? featurise(head.smiles, failed)
    : { feeds: tensorsOf(), rows: Array.from({ length: head.rows }, (_, row) => row) };
  const tensors = await infer(feeds, rows, head.single ?? false, failed);
  answer(tensors, startedAt, Math.round(performance.now() - began), failed);
}
