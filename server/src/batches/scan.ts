import type { BatchError } from '@sluice/contract';
import { LineHash } from '../cache/line-text.ts';
import { Repeats } from '../cache/repeats.ts';
import { hashId, IdTable } from '../formats/id-table.ts';
import { blocks } from '../formats/jsonl.ts';
import { IndexWriter } from '../formats/line-index.ts';
import type { Lines } from '../formats/lines.ts';
import { LineSplitter, type LineSink } from '../formats/splitter.ts';
import type { Models, ModelSpec } from '../models/models.ts';
import { modelKey } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import { PrefixOrder } from './prefixes.ts';
import { RepeatList } from './repeats.ts';
import { clip, LineValidator, type ValidLine } from './validate.ts';

export interface ScanOptions {
  storage: Storage;
  inputKey: string;
  /** What the file has, for a guess at its lines; absent: no guess. */
  inputBytes?: number;
  endpoint: string;
  models: Models;
  /** Whose models the lines may name. */
  tenant: string;
  /** Of the lines that name none. */
  model?: string;
  /** Whether a line is not to be run, for reasons that are known already. */
  refused?: (line: number) => boolean;
  /** Each line is run by several models, of which that is the first. */
  several?: boolean;
  limits: { maxLines: number; maxLineBytes: number; openai: boolean };
  /** Look for lines that are the same but for their custom_id; `sampled`: also where they ask for chance. Absent: nobody wants to know. */
  repeats?: { sampled: boolean };
  /** For which models lines that share the beginning of a prompt are to stand together; absent: for none. */
  byPrefix?: (model: ModelSpec) => boolean;
  /** Called with each megabyte or so: how many lines were checked. */
  onBlock?: (lines: number) => void;
  /** Called for each error, in the order of lines. */
  onError: (error: BatchError) => void;
}

/** The lines of one model in a batch. */
export interface ModelLines {
  model: ModelSpec;
  lines: Lines;
  count: number;
  /** Those of them that seem to repeat an earlier one, and which. */
  repeats: RepeatList;
  /** Those that repeat none, in the order in which prompts share most; null: as they stand in the file. */
  order: PrefixOrder | null;
}

interface Growing {
  model: ModelSpec;
  borders: number[];
  count: number;
  repeats: RepeatList;
  order: PrefixOrder | null;
}

/**
 * One pass over a batch's input: checks every line, finds repeated custom_ids, gathers the lines of each model, and
 * writes the index. `index()` gives the index's bytes as the input is read; when it is through, `lines`, `bytes`,
 * `errors` and `models()` are final. Memory: one block, one line, 12 bytes a line for the ids, 8 for the offsets, 8 for
 * each line that repeats another, 6 MB to find those.
 */
export class InputScan implements LineSink {
  lines = 0;
  bytes = 0;
  errors = 0;
  readonly #options: ScanOptions;
  readonly #validator: LineValidator;
  readonly #ids = new IdTable();
  readonly #offsets: Float64Array[] = [];
  readonly #index = new IndexWriter();
  readonly #models = new Map<string, Growing>();
  readonly #hash = new LineHash();
  readonly #repeats = new Repeats();
  /** Lines whose custom_id has the hash of an earlier one; looked at after each block. */
  #suspects: { line: number; id: string; earlier: number[] }[] = [];

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#validator = new LineValidator(options.endpoint, options.models, options.tenant, options.model, options.several);
  }

  async *index(): AsyncGenerator<Buffer> {
    const { storage, inputKey, limits } = this.#options;
    const splitter = new LineSplitter(this, limits.maxLineBytes);
    for await (const block of blocks(storage, inputKey)) {
      const first = this.bytes === 0;
      this.bytes += block.length;
      splitter.push(block);
      this.#options.onBlock?.(this.lines);
      // As many lines to a byte as the first block had, as long as the limit allows so many.
      if (first) this.#ids.reserve(Math.min(limits.maxLines, Math.ceil(((this.#options.inputBytes ?? 0) * this.lines) / block.length)));
      await this.#compare();
      if (this.lines > limits.maxLines) {
        this.#report(
          null,
          'too_many_tasks',
          `The file has more than ${limits.maxLines.toLocaleString('en')} lines, the most a batch may have.`,
        );
        return;
      }
      yield* this.#index.take();
    }
    splitter.end();
    await this.#compare();
    if (this.lines === 0) this.#report(null, 'empty_file', 'The file is empty: it has no request.');
    yield* this.#index.finish();
  }

  models(): ModelLines[] {
    return [...this.#models.values()].map(({ model, borders, count, repeats, order }) => ({
      model,
      lines: borders,
      count,
      repeats,
      order,
    }));
  }

  line(buffer: Buffer, start: number, end: number, offset: number, plain: boolean): void {
    const line = ++this.lines;
    this.#remember(line, offset);
    const checked = this.#validator.check(buffer, start, end, plain);
    if (Array.isArray(checked)) {
      for (const { code, message, param } of checked) this.#report(line, code, message, param);
      this.#index.add(offset, end - start, 0, 0);
      return;
    }
    const [a, b] = hashId(checked.customId);
    const refused = this.#options.refused?.(line) === true;
    const repeats = refused ? 0 : this.#repeated(checked, buffer, start, end, line);
    this.#index.add(offset, end - start, a, b, repeats);
    const earlier = this.#ids.add(a, line);
    if (earlier !== null) this.#suspects.push({ line, id: checked.customId, earlier });
    if (refused) return;
    const order = this.#gather(checked.model, line, repeats);
    if (repeats === 0) order?.add(line, buffer, start, end);
  }

  tooLong(offset: number, length: number): void {
    const line = ++this.lines;
    this.#remember(line, offset);
    this.#index.add(offset, 0, 0, 0);
    const limit = this.#options.limits.maxLineBytes;
    this.#report(
      line,
      'invalid_json_line',
      `This line is not parseable as valid JSON. It has ${length.toLocaleString('en')} bytes; a line may have ${limit.toLocaleString('en')}.`,
    );
  }

  /** The first line that this one seems to repeat; 0: none. */
  #repeated({ sampled }: ValidLine, buffer: Buffer, start: number, end: number, line: number): number {
    const { repeats } = this.#options;
    if (repeats === undefined || (sampled && !repeats.sampled) || !this.#hash.take(buffer, start, end)) return 0;
    return this.#repeats.find(this.#hash.a, this.#hash.b, line);
  }

  #gather(model: ModelSpec, line: number, repeats: number): PrefixOrder | null {
    const key = modelKey(model);
    let found = this.#models.get(key);
    if (!found) {
      if (this.#options.limits.openai && this.#models.size > 0)
        this.#report(line, 'mismatched_model', 'All lines of a file must name the same model.', 'body.model');
      const order = this.#options.byPrefix?.(model) === true ? new PrefixOrder() : null;
      found = { model, borders: [], count: 0, repeats: new RepeatList(), order };
      this.#models.set(key, found);
    }
    const { borders } = found;
    found.count++;
    if (repeats !== 0) found.repeats.add(repeats, line);
    if (borders.length > 0 && borders[borders.length - 1] === line) borders[borders.length - 1] = line + 1;
    else borders.push(line, line + 1);
    return found.order;
  }

  #report(line: number | null, code: string, message: string, param: string | null = null): void {
    this.errors++;
    this.#options.onError({ code, message, param, line });
  }

  #remember(line: number, offset: number): void {
    const place = (line - 1) & 0xffff;
    if (place === 0) this.#offsets.push(new Float64Array(0x1_0000));
    this.#offsets.at(-1)![place] = offset;
  }

  /** Reads the earlier lines of this block's suspects: a hash is no proof. */
  async #compare(): Promise<void> {
    if (this.#suspects.length === 0) return;
    const suspects = this.#suspects;
    this.#suspects = [];
    // Of a file that repeats one id a million times, the first line is read once a block.
    const known = new Map<number, string | null>();
    for (const { line, id, earlier } of suspects) {
      for (const other of earlier) {
        if (!known.has(other)) known.set(other, await this.#idAt(other));
        if (known.get(other) !== id) continue;
        this.#report(line, 'duplicate_custom_id', `The custom_id '${clip(id)}' was used before, in line ${other}.`, 'custom_id');
        break;
      }
    }
  }

  async #idAt(line: number): Promise<string | null> {
    const start = this.#offsets[(line - 1) >> 16]![(line - 1) & 0xffff]!;
    const limit = this.#options.limits.maxLineBytes;
    const length = line < this.lines ? this.#offsets[line >> 16]![line & 0xffff]! - start : limit;
    const text = (await this.#options.storage.read(this.#options.inputKey, { start, end: start + Math.min(length, limit + 2) })).toString(
      'utf8',
    );
    try {
      const value = JSON.parse(text.split('\n', 1)[0]!) as { custom_id?: unknown };
      return typeof value.custom_id === 'string' ? value.custom_id : null;
    } catch {
      return null;
    }
  }
}
