import { dataTypes, messages } from './fields.ts';
import { checkOperators, checkVersions, hints, operatorName, Refused, type Counts } from './operators.ts';
import { Malformed, Reader, wires, type Source } from './wire.ts';

/** An input or output as the file declares it. */
export interface Port {
  name: string;
  /** `float32`, or what kind of thing it is instead of a tensor. */
  type: string;
  /** A dimension is a size, a name, or '' where it has neither; null where there is no shape at all. */
  shape: (number | string)[] | null;
}

export interface Walked {
  ir: number;
  opsets: Record<string, number>;
  producer: string;
  domain: string;
  modelVersion: number;
  metadata: Record<string, string>;
  /** Inputs that have no value in the file. */
  inputs: Port[];
  outputs: Port[];
  /** How many nodes of each operator there are, at any depth. */
  operators: Record<string, number>;
  nodes: number;
  functions: number;
  /** Numbers in all tensors, by their shapes. */
  parameters: number;
}

export interface WalkLimits {
  fields: number;
  nodes: number;
  /** Messages within messages: Google's parser goes 100 deep. */
  depth: number;
  /** Inputs, outputs, and entries of metadata. */
  ports: number;
}

export const walkLimits: WalkLimits = { fields: 50_000_000, nodes: 500_000, depth: 64, ports: 1_000 };

/** Bytes of names and texts that are kept, of one and of all. */
const most = { name: 1024, text: 4096, all: 16 * 1024 * 1024 };

export type Walk = { ok: true; walked: Walked } | { ok: false; reason: string; hint: string };

/**
 * Reads the structure of an ONNX file: what it says about itself, and every place where a tensor can be. Tensors'
 * values are skipped. Whatever the bytes are, it ends with a verdict, in time and memory that the limits bound.
 */
export const walk = (source: Source, limits: WalkLimits = walkLimits): Walk => {
  const reader = new Reader(source, limits.fields);
  try {
    return { ok: true, walked: structureOf(reader, source.size, limits) };
  } catch (error) {
    const at = `at byte ${reader.at}`;
    if (error instanceof Malformed)
      return { ok: false, reason: `It is no ONNX file, or a damaged one: ${error.message} (${at})`, hint: hints.forged };
    if (error instanceof Refused) {
      const path = error.path.join('.');
      return { ok: false, reason: path ? `${path}: ${error.message}` : error.message, hint: error.hint };
    }
    throw error;
  }
};

const structureOf = (reader: Reader, size: number, limits: WalkLimits): Walked => {
  const metadata = new Map<string, string>();
  const opsets = new Map<string, number>();
  const operators: Counts = new Map();
  const bodies = new Map<string, Counts>();
  const initializers = new Set<string>();
  const found: Walked = {
    ir: 0,
    opsets: {},
    producer: '',
    domain: '',
    modelVersion: 0,
    metadata: {},
    inputs: [],
    outputs: [],
    operators: {},
    nodes: 0,
    functions: 0,
    parameters: 0,
  };
  let [kept, depth] = [0, 0];

  const read = (stop: number, longest: number): { text: string; cut: boolean } => {
    const found = reader.text(stop, longest);
    kept += found.text.length;
    if (kept > most.all) throw new Refused('Its names are longer than 16 MB altogether.', hints.size);
    return found;
  };
  /** PostgreSQL has no NUL in its texts. */
  const text = (stop: number, longest: number): string => {
    const { text, cut } = read(stop, longest);
    return (cut ? `${text}…` : text).replaceAll('\0', '\uFFFD');
  };
  const name = (stop: number): string => {
    if (stop - reader.at > most.name)
      throw new Refused(`A name has ${stop - reader.at} bytes; at most ${most.name} are allowed.`, hints.forged);
    const { text } = read(stop, most.name);
    if (text.includes('\0')) throw new Malformed('A name holds a NUL.');
    return text;
  };

  /** Visits the fields of a message by name. */
  const message = <Name extends string>(
    fields: ReadonlyMap<number, { name: Name; wires: readonly number[] }>,
    end: number,
    visit: (field: Name, value: number, wire: number) => void,
  ): void => {
    if (++depth > limits.depth) throw new Refused(`It is nested more than ${limits.depth} deep.`, hints.size);
    reader.fields(end, (number, wire, value) => {
      const field = fields.get(number);
      if (!field) throw new Malformed(`Field ${number} is not one that this message has.`);
      if (!field.wires.includes(wire)) throw new Malformed(`${field.name} has wire type ${wire}.`);
      visit(field.name, value, wire);
    });
    depth--;
  };
  /** Says where, should anything inside be refused. */
  const inside = (place: string, index: number | null, work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof Refused) error.path.unshift(index === null ? place : `${place}[${index}]`);
      throw error;
    }
  };

  const dimsOf = (value: number, wire: number, dims: number[]): void => {
    if (wire === wires.varint) dims.push(value);
    else while (reader.at < value) dims.push(reader.varint(value));
    if (dims.length > 64) throw new Malformed('A tensor has more than 64 dimensions.');
  };
  const tensor = (end: number): string => {
    let called = '';
    let location = '';
    const dims: number[] = [];
    const elsewhere = (): never => {
      throw new Refused(`${called ? `The tensor '${called}'` : 'A tensor'} has its values in another file${location}.`, hints.external);
    };
    message(messages.tensor, end, (field, value, wire) => {
      if (field === 'dims') dimsOf(value, wire, dims);
      else if (field === 'name') called = name(value);
      else if (field === 'data_location' && value !== 0) elsewhere();
      else if (field === 'external_data') {
        message(messages.pair, value, (part, stop) => {
          if (part === 'value' && !location) location = `, ${JSON.stringify(text(stop, 200))}`;
        });
        elsewhere();
      }
    });
    found.parameters += dims.reduce((product, dim) => product * Math.max(0, dim), 1);
    return called;
  };
  const sparse = (end: number): string => {
    let called = '';
    message(messages.sparse, end, (field, value) => {
      if (field === 'dims') return;
      inside(field, null, () => {
        const of = tensor(value);
        if (field === 'values') called = of;
      });
    });
    return called;
  };

  const attribute = (end: number, counts: Counts): void => {
    let called = '';
    message(messages.attribute, end, (field, value) => {
      if (field === 'name') called = name(value);
      const place = called ? `${called}.${field}` : field;
      if (field === 't' || field === 'tensors') inside(place, null, () => void tensor(value));
      else if (field === 'g' || field === 'graphs') inside(place, null, () => graph(value, counts));
      else if (field === 'sparse_tensor' || field === 'sparse_tensors') inside(place, null, () => void sparse(value));
    });
  };
  const node = (end: number, counts: Counts): void => {
    let [operator, domain] = ['', ''];
    message(messages.node, end, (field, value) => {
      if (field === 'op_type') operator = name(value);
      else if (field === 'domain') domain = name(value);
      else if (field === 'attribute') inside(operator || 'attribute', null, () => attribute(value, counts));
    });
    if (++found.nodes > limits.nodes) throw new Refused(`It has more than ${limits.nodes} nodes.`, hints.size);
    const key = operatorName(domain, operator);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  const graph = (end: number, counts: Counts, top = false): void => {
    const count = { node: 0, initializer: 0, sparse_initializer: 0 };
    message(messages.graph, end, (field, value) => {
      if (field === 'node') inside(field, count.node++, () => node(value, counts));
      else if (field === 'initializer' || field === 'sparse_initializer')
        inside(field, count[field]++, () => {
          const called = field === 'initializer' ? tensor(value) : sparse(value);
          if (top) initializers.add(called);
        });
      else if (top && (field === 'input' || field === 'output')) {
        const ports = field === 'input' ? found.inputs : found.outputs;
        // Old files list every weight as an input too.
        if (ports.length >= limits.nodes) throw new Refused(`It has more than ${limits.nodes} ${field}s.`, hints.size);
        inside(field, ports.length, () => ports.push(port(value)));
      }
    });
  };

  const port = (end: number): Port => {
    const found: Port = { name: '', type: 'untyped', shape: null };
    message(messages.port, end, (field, value) => {
      if (field === 'name') found.name = name(value);
      else if (field === 'type') Object.assign(found, typeOf(value));
    });
    return found;
  };
  const typeOf = (end: number): Omit<Port, 'name'> => {
    let [type, shape]: [string, Port['shape']] = ['untyped', null];
    message(messages.type, end, (field, value) => {
      if (field === 'tensor_type')
        message(messages.tensorType, value, (part, inner) => {
          if (part === 'elem_type') type = dataTypes[inner] ?? `type ${inner}`;
          else shape = shapeOf(inner);
        });
      else if (field === 'denotation') return;
      else
        type = {
          sequence_type: 'sequence',
          map_type: 'map',
          opaque_type: 'opaque',
          sparse_tensor_type: 'sparse tensor',
          optional_type: 'optional',
        }[field];
    });
    return { type, shape };
  };
  const shapeOf = (end: number): (number | string)[] => {
    const shape: (number | string)[] = [];
    message(messages.shape, end, (_field, value) => {
      let dim: number | string = '';
      message(messages.dim, value, (field, inner) => {
        // Some exporters write -1 for what is not known.
        if (field === 'dim_value') dim = inner < 0 ? '' : inner;
        else if (field === 'dim_param') dim = name(inner);
      });
      if (shape.push(dim) > 64) throw new Malformed('A shape has more than 64 dimensions.');
    });
    return shape;
  };

  const functionBody = (end: number): void => {
    const counts: Counts = new Map();
    let [called, domain, nodes, defaults] = ['', '', 0, 0];
    message(messages.function, end, (field, value) => {
      if (field === 'name') called = name(value);
      else if (field === 'domain') domain = name(value);
      else if (field === 'node') inside(field, nodes++, () => node(value, counts));
      else if (field === 'attribute_proto') inside(field, defaults++, () => attribute(value, counts));
    });
    // Overloads of one name count together.
    const key = operatorName(domain, called);
    const before = bodies.get(key);
    for (const [operator, count] of before ?? []) counts.set(operator, (counts.get(operator) ?? 0) + count);
    bodies.set(key, counts);
  };
  const training = (end: number): void =>
    message(messages.training, end, (field, value) => {
      if (field === 'initialization' || field === 'algorithm') inside(field, null, () => graph(value, new Map()));
    });
  const opset = (end: number): void => {
    let [domain, version] = ['', 0];
    message(messages.opset, end, (field, value) => {
      if (field === 'domain') domain = name(value);
      else version = value;
    });
    const key = domain || 'ai.onnx';
    opsets.set(key, Math.max(version, opsets.get(key) ?? 0));
    if (opsets.size > limits.ports) throw new Refused(`It imports more than ${limits.ports} operator sets.`, hints.size);
  };
  const pair = (end: number): void => {
    let [key, value] = ['', ''];
    message(messages.pair, end, (field, stop) => {
      if (field === 'key') key = text(stop, most.name);
      else value = text(stop, most.text);
    });
    metadata.set(key, value);
    if (metadata.size > limits.ports) throw new Refused(`It has more than ${limits.ports} entries of metadata.`, hints.size);
  };

  let [graphs, versionOf, trainings] = [0, '', 0];
  message(messages.model, size, (field, value) => {
    if (field === 'ir_version') found.ir = value;
    else if (field === 'producer_name') found.producer = text(value, most.name);
    else if (field === 'producer_version') versionOf = text(value, most.name);
    else if (field === 'domain') found.domain = text(value, most.name);
    else if (field === 'model_version') found.modelVersion = value;
    else if (field === 'metadata_props') inside(field, metadata.size, () => pair(value));
    else if (field === 'opset_import') inside(field, opsets.size, () => opset(value));
    else if (field === 'functions') inside(field, found.functions++, () => functionBody(value));
    else if (field === 'training_info') inside(field, trainings++, () => training(value));
    else if (field === 'graph') {
      // A parser would make one graph of two.
      if (graphs++ > 0) throw new Malformed('It has more than one graph.');
      inside(field, null, () => graph(value, operators, true));
    }
  });

  if (graphs === 0) throw new Malformed('It has no graph.');
  found.inputs = found.inputs.filter((input) => !initializers.has(input.name));
  if (Math.max(found.inputs.length, found.outputs.length) > limits.ports)
    throw new Refused(`It has more than ${limits.ports} inputs or outputs.`, hints.size);
  if (versionOf) found.producer = `${found.producer} ${versionOf}`.trim();
  found.metadata = Object.fromEntries(metadata);
  found.opsets = Object.fromEntries(opsets);
  checkVersions(found.ir, opsets);
  checkOperators(operators, bodies, limits);
  found.operators = Object.fromEntries([...operators].toSorted(([, a], [, b]) => b - a));
  return found;
};
