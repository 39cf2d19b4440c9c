import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { typeOfName } from '../../artifacts/types.ts';
import { messageOf } from '../../lib/errors.ts';
import { BadRequest } from '../bad-request.ts';
import { failureBy, openAdapted, type Adapter } from '../command/adapter.ts';
import { written, type Found } from '../command/collect.ts';
import { commandOptions } from '../command/options.ts';
import type { Ended } from '../command/program.ts';
import type { ExecutorKind, JsonObject } from '../executor.ts';
import { commonOptions, readOptions, text, type Given, type Option } from '../options.ts';
import { readNpz } from './npz.ts';
import { fasta, readRequest, restraintsCsv, type ChaiRequest } from './request.ts';

const { args, env, pass_env, gpu_env, timeout_ms, memory_mb, cpu_seconds, max_concurrency } = commandOptions;

/** What `options` of a model with `executor: chai` may hold. */
export const chaiOptions = {
  ...commonOptions,
  /** The program; absent: `chai-lab`, as pip installs it. */
  program: text,
  /** Arguments before `fold`. */
  args,
  env,
  pass_env,
  gpu_env,
  timeout_ms,
  memory_mb,
  cpu_seconds,
  max_concurrency,
  /** Makes alignments. Absent: no sequence leaves this machine, and each stands for itself. */
  msa_server_url: {
    expected: 'an address such as http://msa.internal',
    is: (value): value is string => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value),
  },
  device: text,
  /** Recorded with results. */
  tool_version: text,
} satisfies Record<string, Option>;

type Options = Given<typeof chaiOptions>;

/** A structure with its scores, as the tool left it. */
interface Model {
  file: string;
  scores: { aggregate_score: number; ptm: number; iptm: number; per_chain_ptm: number[]; has_inter_chain_clashes: boolean };
}

const units: JsonObject = {
  aggregate_score: '0.2 ptm + 0.8 iptm - 100 where chains clash; higher is better',
  ptm: '0 to 1',
  iptm: '0 to 1',
};

/** Both files of a model must be there and be what they should; a model that is cut off is none. */
const readModels = async (out: string): Promise<Model[]> => {
  const models: Model[] = [];
  for (const file of await readdir(out).catch(() => [] as string[])) {
    const index = /^pred\.model_idx_(\d+)\.cif$/.exec(file)?.[1];
    if (index === undefined) continue;
    const cif = await readFile(join(out, file), 'utf8');
    const scores = await readFile(join(out, `scores.model_idx_${index}.npz`)).catch(() => null);
    if (scores === null || !cif.startsWith('data_') || !/^(ATOM|HETATM) /m.test(cif)) continue;
    try {
      const arrays = readNpz(scores);
      const one = (name: string): number => arrays[name]!.values[0]!;
      models.push({
        file,
        scores: {
          aggregate_score: one('aggregate_score'),
          ptm: one('ptm'),
          iptm: one('iptm'),
          per_chain_ptm: arrays['per_chain_ptm']?.values ?? [],
          has_inter_chain_clashes: (arrays['has_inter_chain_clashes']?.values ?? []).some((value) => value !== 0),
        },
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  // The tool does not rank its files.
  return models.toSorted((a, b) => b.scores.aggregate_score - a.scores.aggregate_score || (a.file < b.file ? -1 : 1));
};

const argumentsOf = ({ parameters: p, restraints }: ChaiRequest, dir: string, { msa_server_url: server, device }: Options): string[] => [
  'fold',
  '--num-trunk-recycles',
  String(p.num_trunk_recycles),
  '--num-diffn-timesteps',
  String(p.num_diffn_timesteps),
  '--num-diffn-samples',
  String(p.num_diffn_samples),
  p.use_esm_embeddings ? '--use-esm-embeddings' : '--no-use-esm-embeddings',
  p.low_memory ? '--low-memory' : '--no-low-memory',
  ...(p.seed === null ? [] : ['--seed', String(p.seed)]),
  ...(device === undefined ? [] : ['--device', device]),
  ...(server === undefined ? [] : ['--use-msa-server', '--msa-server-url', server]),
  ...(restraints.length > 0 ? ['--constraint-path', join(dir, 'restraints.csv')] : []),
  join(dir, 'input.fasta'),
  // Must not be there yet, or be empty: the tool asserts it.
  join(dir, 'out'),
];

/** Chai-1 by its own program: one complex a call, judged by the files there are. */
const adapter = (options: Options): Adapter<ChaiRequest> => {
  const tool = { name: 'chai-lab', version: options.tool_version ?? null };
  return {
    about: { tool },
    read: readRequest,
    identity: (request) => (request.parameters.seed === null ? null : request),
    async make(request, dir, run) {
      const files: Found[] = [await written(dir, 'input.fasta', fasta(request))];
      if (request.restraints.length > 0) files.push(await written(dir, 'restraints.csv', restraintsCsv(request)));
      files.push(await written(dir, 'parameters.json', JSON.stringify(request.parameters, null, 2)));
      const { program = 'chai-lab', args: first = [] } = options;
      const ended = await run([program, ...first], argumentsOf(request, dir, options));
      const out = join(dir, 'out');
      const models = await readModels(out);
      if (models.length === 0) return { failed: failureOf(ended), files };
      files.push(
        ...models.map(({ file }, rank): Found => ({
          name: rank === 0 ? 'structure.cif' : `model_${rank}.cif`,
          path: join(out, file),
          type: typeOfName('a.cif'),
          bytes: 0,
        })),
      );
      const ranked = models.map(({ scores }, rank) => ({ structure: rank === 0 ? 'structure.cif' : `model_${rank}.cif`, ...scores }));
      const outputs: JsonObject = {
        ...models[0]!.scores,
        models: ranked,
        msa: options.msa_server_url === undefined ? 'single_sequence' : 'server',
        units,
        parameters: { ...request.parameters },
        tool,
      };
      files.push(await written(dir, 'results.json', JSON.stringify(outputs, null, 2)));
      return { outputs, files };
    },
  };
};

const failureOf = (ended: Ended) => {
  const refused = /(?:UnsupportedInputError|ValueError|AssertionError): (.*)/.exec(ended.log);
  if (refused && !/out of memory/i.test(ended.log))
    return {
      kind: 'permanent' as const,
      code: 'invalid_request',
      message: `Chai-1 could not take this input: ${refused[1]!.slice(0, 500)}`,
    };
  return failureBy(ended, 'Chai-1');
};

export const chaiKind: ExecutorKind = {
  kind: 'chai',
  open: async (model, context) => {
    const options = readOptions(chaiOptions, model.options);
    return openAdapted(model, context, options, adapter(options));
  },
  problemOf: (body) => {
    try {
      readRequest(body);
      return null;
    } catch (error) {
      if (error instanceof BadRequest) return messageOf(error);
      throw error;
    }
  },
};
