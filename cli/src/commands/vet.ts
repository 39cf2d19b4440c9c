import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelPort } from '@sluice/contract';
import { vet as vetFile, type Report } from '@sluice/server/vet';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { bytes, printFields, printJson, printTable } from '../output.ts';

export interface VetOptions {
  memory: number;
  timeout: number;
  log?: boolean;
}

const port = ({ name, type, shape, batch_axis: axis }: ModelPort): string => {
  const sizes = shape.map((size) => (size === '' ? '?' : size)).join(', ');
  return `${name} ${type}[${sizes}]${typeof axis === 'number' ? `, rows along ${axis}` : ''}`;
};

/** The report on a file; nothing is left when it is interrupted. */
const reportOn = async (file: string, { memory, timeout }: VetOptions): Promise<Report> => {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-vet-'));
  try {
    return await vetFile(file, { memoryMb: memory, stepMs: timeout * 1_000, totalMs: timeout * 3_000 }, stop.signal, scratch);
  } catch (error) {
    throw stop.signal.aborted ? new Exit(exitCodes.interrupted) : error;
  } finally {
    process.off('SIGINT', interrupt);
    await rm(scratch, { recursive: true, force: true });
  }
};

/** Vets a file here, as a server would after its upload: without a server, and without telling anybody. */
export const vet = async ({ terminal, fields }: Context, file: string, options: VetOptions): Promise<void> => {
  const report = await reportOn(file, options);
  if (fields) printJson(terminal, report, fields);
  else {
    const { facts } = report;
    printTable(
      terminal,
      report.steps.flatMap((step) => [
        { ...step, said: [step.message, step.hint].filter(Boolean).join(' ') },
        ...(options.log ? (step.log ?? []).map((said) => ({ name: '', status: '', ms: null, said })) : []),
      ]),
      {
        step: ({ name }) => name,
        status: ({ status }) => status,
        ms: ({ ms }) => ms,
        '': ({ said }) => said,
      },
    );
    printFields(terminal, {
      verdict: report.verdict,
      file: bytes(report.bytes),
      inputs: report.inputs?.map(port).join('; '),
      outputs: report.outputs?.map(port).join('; '),
      opsets:
        facts &&
        Object.entries(facts.opsets)
          .map((each) => each.join(' '))
          .join(', '),
      producer: facts?.producer,
      parameters: facts?.parameters,
      'shared runs':
        facts &&
        (facts.batching.max_rows > 1
          ? `of ${facts.batching.max_rows} rows, ${facts.batching.gain} times the rows`
          : `none. ${facts.batching.reason ?? ''}`),
      'load, run': facts && `${facts.load_ms} ms, ${facts.run_ms} ms a row`,
      memory: facts && `${bytes(facts.memory_bytes)}, of it ${bytes(facts.model_memory_bytes)} for the model`,
    });
  }
  if (report.verdict === 'failed')
    throw new Exit(exitCodes.error, `${file} was refused at ${report.step ?? 'the end'}: ${report.reason ?? ''}`);
};
