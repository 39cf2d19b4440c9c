import { StringDecoder } from 'node:string_decoder';

/** Characters a line may have; longer ones are cut, and the rest of them comes as lines that nobody knows. */
const mostCharacters = 16 << 20;

/** Lines of a text, without their ends, which may be of any kind and mixed; without a byte order mark. */
export async function* textLines(input: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let first = true;
  let afterReturn = false;
  for await (const piece of input) {
    let text = decoder.write(piece);
    if (first && text !== '') {
      if (text.startsWith('\uFEFF')) text = text.slice(1);
      first = false;
    }
    // A line end that was cut between its two characters.
    if (text === '') continue;
    const half = afterReturn && text.startsWith('\n');
    afterReturn = text.endsWith('\r');
    if (half) text = text.slice(1);
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > mostCharacters) {
      yield rest;
      rest = '';
    }
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
