import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { BadRequest } from '../bad-request.ts';
import { failureBy, openAdapted, type Adapter, type Failed } from '../command/adapter.ts';
import { written, type Found } from '../command/collect.ts';
import { commandOptions } from '../command/options.ts';
import type { ExecutorKind, JsonObject } from '../executor.ts';
import { commonOptions, readOptions, text, type Given, type Option } from '../options.ts';
import { readQuiver, type Design } from './quiver.ts';
import { readRequest, type RfAntibodyRequest } from './request.ts';

const { env, pass_env, gpu_env, timeout_ms, memory_mb, cpu_seconds, max_concurrency } = commandOptions;

const words: Option<string[]> = {
  expected: 'a list of strings: a program, and its first arguments',
  is: (value): value is string[] => Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string'),
};

/** What `options` of a model with `executor: rfantibody` may hold. */
export const rfantibodyOptions = {
  ...commonOptions,
  /** The three programs; absent: by their own names. */
  rfdiffusion: words,
  proteinmpnn: words,
  rf2: words,
  env,
  pass_env,
  gpu_env,
  timeout_ms,
  memory_mb,
  cpu_seconds,
  max_concurrency,
  /** Recorded with results. */
  tool_version: text,
} satisfies Record<string, Option>;

type Options = Given<typeof rfantibodyOptions>;

/** Files of single designs that a request keeps; all of them are in `designs.qv`. */
const mostFiles = 100;

const units: JsonObject = {
  interaction_pae: 'Å, lower is better',
  pae: 'Å, lower is better',
  pred_lddt: '0 to 1, higher is better',
  target_aligned_antibody_rmsd: 'Å, of the prediction to the design',
};

/** Below both bounds; a design without those scores does not pass. */
const passes = ({ scores }: Design, { max_pae, max_rmsd }: RfAntibodyRequest['parameters']): boolean =>
  (scores['pae'] ?? Infinity) < max_pae && (scores['target_aligned_antibody_rmsd'] ?? Infinity) < max_rmsd;

const csvOf = (designs: readonly { design: Design; passed: boolean }[]): string => {
  const names = [...new Set(designs.flatMap(({ design }) => Object.keys(design.scores)))].toSorted();
  const rows = designs.map(({ design, passed }) => [design.tag, passed, ...names.map((name) => design.scores[name] ?? '')].join(','));
  return `${['tag', 'passed', ...names].join(',')}\n${rows.join('\n')}\n`;
};

/**
 * RFantibody by its three programs, linked by Quiver files: backbones, sequences for each, and a prediction that judges
 * them. Each stage is held to the file it should have left; tags that are there already would end it, so that every
 * attempt begins with new files.
 */
const adapter = (options: Options): Adapter<RfAntibodyRequest> => {
  const tool = { name: 'rfantibody', version: options.tool_version ?? null };
  return {
    about: { tool },
    read: readRequest,
    // Sequences are drawn by a tool that takes no seed.
    async make(request, dir, run) {
      const { parameters: p, hotspots, loops } = request;
      const files: Found[] = [await written(dir, 'target.pdb', request.target), await written(dir, 'framework.pdb', request.framework)];
      files.push(await written(dir, 'parameters.json', JSON.stringify({ hotspots, loops, ...p }, null, 2)));
      const at = (name: string): string => join(dir, name);
      const stage = async (name: 'rfdiffusion' | 'proteinmpnn' | 'rf2', args: string[], out: string): Promise<Design[] | Failed> => {
        const ended = await run(options[name] ?? [name], args);
        const designs = readQuiver(await readFile(at(out), 'utf8').catch(() => ''));
        return designs.length === 0 || ended.code !== 0 ? failureBy(ended, name) : designs;
      };
      const loopsText = Object.entries(loops)
        .map(([loop, length]) => `${loop}:${length}`)
        .join(',');
      const backbones = await stage(
        'rfdiffusion',
        ['-t', at('target.pdb'), '-f', at('framework.pdb'), '-q', at('1.qv'), '-n', String(p.designs)].concat(
          loopsText === '' ? [] : ['-l', loopsText],
          ['-h', hotspots.join(',')],
          p.seed === null ? [] : ['--deterministic'],
        ),
        '1.qv',
      );
      if (!Array.isArray(backbones)) return { failed: backbones, files };
      const sequences = await stage(
        'proteinmpnn',
        ['-q', at('1.qv'), '--output-quiver', at('2.qv'), '-n', String(p.sequences_per_design), '-t', String(p.temperature)],
        '2.qv',
      );
      if (!Array.isArray(sequences)) return { failed: sequences, files };
      const judged = await stage(
        'rf2',
        ['-q', at('2.qv'), '--output-quiver', at('3.qv'), '-r', String(p.recycles), ...(p.seed === null ? [] : ['-s', String(p.seed)])],
        '3.qv',
      );
      if (!Array.isArray(judged)) return { failed: judged, files };
      const designs = judged
        .map((design) => ({ design, passed: passes(design, p) }))
        .toSorted(
          (a, b) =>
            Number(b.passed) - Number(a.passed) ||
            (a.design.scores['interaction_pae'] ?? Infinity) - (b.design.scores['interaction_pae'] ?? Infinity) ||
            (a.design.tag < b.design.tag ? -1 : 1),
        );
      files.push({ name: 'designs.qv', path: at('3.qv'), type: 'text/plain; charset=utf-8', bytes: 0 });
      files.push(await written(dir, 'scores.csv', csvOf(designs)));
      const shown: JsonObject[] = [];
      for (const [i, { design, passed }] of designs.entries()) {
        const file = i < mostFiles ? `design_${i + 1}.pdb` : null;
        if (file !== null) files.push(await written(dir, file, design.pdb));
        shown.push({ tag: design.tag, passed, structure: file, scores: design.scores });
      }
      const outputs: JsonObject = {
        designs: shown,
        counts: {
          backbones: backbones.length,
          sequences: sequences.length,
          predicted: judged.length,
          passed: designs.filter(({ passed }) => passed).length,
        },
        units,
        parameters: { ...p },
        tool,
      };
      files.push(await written(dir, 'results.json', JSON.stringify(outputs, null, 2)));
      return { outputs, files };
    },
  };
};

export const rfantibodyKind: ExecutorKind = {
  kind: 'rfantibody',
  open: async (model, context) => {
    const options = readOptions(rfantibodyOptions, model.options);
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
