import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentOf } from '../command/environment.ts';
import { runProgram, type Ended } from '../command/program.ts';
import { inputFile } from './input.ts';
import type { BoltzOptions } from './options.ts';
import { isHollow, recordFolder } from './output.ts';
import type { MsaSource } from './outputs.ts';
import type { BoltzParameters } from '@sluice/contract';
import type { BoltzRequest } from './request.ts';

/** A request as a record of a run: its id names the input file and every output. */
export interface Member {
  id: string;
  request: BoltzRequest;
}

const defaultTimeoutMs = 6 * 3_600_000;

/**
 * A folder of inputs for one call of `boltz predict`, and what came out of it. Alignments and templates lie beside the
 * inputs: a folder with anything but inputs in it is refused.
 */
export class Folder {
  readonly dir: string;
  readonly #options: BoltzOptions;

  constructor(dir: string, options: BoltzOptions) {
    this.dir = dir;
    this.#options = options;
  }

  get out(): string {
    return join(this.dir, 'out');
  }

  msaOf({ proteins }: BoltzRequest): MsaSource {
    if (proteins.every(({ msa }) => msa !== null)) return 'user';
    return this.#options.msa_server_url === undefined ? 'single_sequence' : 'server';
  }

  /** Writes the inputs; alignments once, however many ligands a protein has. */
  async write(members: readonly Member[]): Promise<void> {
    for (const name of ['inputs', 'msa', 'templates']) await mkdir(join(this.dir, name), { recursive: true });
    const files = new Map<string, string>();
    const put = async (folder: string, suffix: string, content: string): Promise<string> => {
      const known = files.get(content);
      if (known !== undefined) return known;
      const path = join(this.dir, folder, `${files.size}${suffix}`);
      await writeFile(path, content, { flag: 'wx' });
      files.set(content, path);
      return path;
    };
    for (const { id, request } of members) {
      const source = this.msaOf(request);
      const msas: (string | null)[] = [];
      for (const { msa } of request.proteins)
        msas.push(msa === null ? (source === 'server' ? null : 'empty') : await put('msa', '.a3m', msa));
      const templates: string[] = [];
      for (const { cif } of request.templates) templates.push(await put('templates', '.cif', cif));
      await writeFile(
        this.inputOf(id),
        inputFile(request, (chain) => msas[chain]!, templates),
        { flag: 'wx' },
      );
    }
  }

  inputOf(id: string): string {
    return join(this.dir, 'inputs', `${id}.yaml`);
  }

  run(parameters: BoltzParameters, signal: AbortSignal): Promise<Ended> {
    const { program = 'boltz', args = [], timeout_ms: timeoutMs = defaultTimeoutMs, cpu_seconds: cpu, memory_mb: memory } = this.#options;
    return runProgram(
      {
        program,
        args: [...args, ...this.#arguments(parameters)],
        dir: this.dir,
        env: environmentOf(this.#options, this.dir),
        timeoutMs,
        cpuSeconds: cpu ?? null,
        memoryMb: memory ?? null,
      },
      signal,
    );
  }

  /**
   * Makes a second run possible without the given records. One that ran out of memory would else be loaded again from
   * the processed ones, and take the affinities of all others with it; a folder without a structure would count as done.
   */
  async drop(ids: readonly string[], kept: readonly string[]): Promise<void> {
    for (const id of ids) {
      await rm(this.inputOf(id), { force: true });
      await rm(join(this.out, 'boltz_results_inputs', 'processed', 'records', `${id}.json`), { force: true });
      await rm(recordFolder(this.out, id), { recursive: true, force: true });
    }
    for (const id of kept) if (await isHollow(this.out, id)) await rm(recordFolder(this.out, id), { recursive: true, force: true });
  }

  /** Every parameter is said, also where it is the tool's default: defaults differ between versions and servers. */
  #arguments(p: BoltzParameters): string[] {
    const { cache, accelerator = 'gpu', devices = 1, no_kernels: plain = false, msa_server_url: server } = this.#options;
    const given: [string, string | number | null | boolean][] = [
      ['--out_dir', this.out],
      ['--cache', cache ?? null],
      ['--accelerator', accelerator],
      ['--devices', devices],
      ['--output_format', 'mmcif'],
      ['--model', 'boltz2'],
      ['--recycling_steps', p.recycling_steps],
      ['--sampling_steps', p.sampling_steps],
      ['--diffusion_samples', p.diffusion_samples],
      ['--step_scale', p.step_scale],
      ['--sampling_steps_affinity', p.sampling_steps_affinity],
      ['--diffusion_samples_affinity', p.diffusion_samples_affinity],
      ['--max_msa_seqs', p.max_msa_seqs],
      ['--affinity_mw_correction', p.affinity_mw_correction],
      ['--use_potentials', p.use_potentials],
      ['--write_full_pae', p.write_full_pae],
      ['--no_kernels', plain],
      ['--seed', p.seed],
      ['--use_msa_server', server !== undefined],
      ['--msa_server_url', server ?? null],
    ];
    const options = given.flatMap(([name, value]) =>
      value === null || value === false ? [] : value === true ? [name] : [name, String(value)],
    );
    return ['predict', join(this.dir, 'inputs'), ...options];
  }
}
