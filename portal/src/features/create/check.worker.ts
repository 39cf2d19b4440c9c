import { LineChecker, type Checked, type Rules } from './lines.ts';

export type Ask = { file: Blob; rules: Rules };
export type Tell = { done: false; bytes: number; lines: number } | { done: true; checked: Checked };

/** Away from the page, so that it stays alive while 200 MB go by. */
addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  void (async () => {
    const checker = new LineChecker(data.rules);
    let bytes = 0;
    let told = 0;
    for (const reader = data.file.stream().getReader(); ;) {
      const { value, done } = await reader.read();
      if (done) break;
      checker.feed(value);
      bytes += value.length;
      if (bytes - told > 4_000_000) {
        told = bytes;
        postMessage({ done: false, bytes, lines: checker.lines } satisfies Tell);
      }
    }
    postMessage({ done: true, checked: checker.end() } satisfies Tell);
  })();
});
