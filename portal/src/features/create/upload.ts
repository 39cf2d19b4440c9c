import { api, bodyOf, call, Failure, type Api } from '../../lib/api.ts';

const partBytes = 8 * 1024 * 1024;

export interface UploadState {
  sent: number;
  total: number;
  /** It is waiting to try again, and why. */
  trouble: string | null;
}

const passing = (error: unknown): boolean =>
  error instanceof Failure && (error.status === 0 || error.status === 429 || error.status >= 500);

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('Stopped', 'AbortError'));
    });
  });

/**
 * Sends a file in parts. A part that does not arrive is sent again, for as long as the server may take to come back: what was sent
 * before is there, and only that part is repeated. `stop` keeps what was sent, and `run` goes on from there.
 */
export class Upload {
  readonly #file: File;
  readonly #tell: (state: UploadState) => void;
  #id: string | null = null;
  readonly #parts: string[] = [];

  constructor(file: File, tell: (state: UploadState) => void) {
    this.#file = file;
    this.#tell = tell;
  }

  async run(signal: AbortSignal): Promise<Api<'OpenAIFile'>> {
    this.#id ??= await this.#again(signal, async () => {
      const { name, size, type } = this.#file;
      const body = { filename: name, purpose: 'batch' as const, bytes: size, mime_type: type || 'application/jsonl' };
      return (await bodyOf(api.POST('/v1/uploads', { body }))).id;
    });
    while (this.#parts.length * partBytes < this.#file.size) {
      const from = this.#parts.length * partBytes;
      this.#tell({ sent: from, total: this.#file.size, trouble: null });
      const form = new FormData();
      form.set('data', this.#file.slice(from, from + partBytes), 'part');
      const part = await this.#again(
        signal,
        async () => (await (await call(`/v1/uploads/${this.#id}/parts`, { method: 'POST', body: form, signal })).json()) as { id: string },
      );
      this.#parts.push(part.id);
    }
    this.#tell({ sent: this.#file.size, total: this.#file.size, trouble: null });
    const complete = await this.#again(signal, () =>
      bodyOf(api.POST('/v1/uploads/{id}/complete', { params: { path: { id: this.#id! } }, body: { part_ids: this.#parts } })),
    );
    return complete.file as Api<'OpenAIFile'>;
  }

  async #again<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await act();
      } catch (error) {
        if (!passing(error) || tries >= 20) throw error;
        this.#tell({ sent: this.#parts.length * partBytes, total: this.#file.size, trouble: (error as Error).message });
        await pause(Math.min(5_000, 300 * 2 ** tries), signal);
      }
    }
  }
}
