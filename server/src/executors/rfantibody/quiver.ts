/** A design in a Quiver file: its tag, its scores, and the lines of its PDB file. */
export interface Design {
  tag: string;
  scores: Record<string, number>;
  pdb: string;
}

/**
 * Reads a Quiver file (`QV_TAG tag`, `QV_SCORE tag k=v|k=v`, then PDB lines). One whose coordinates are cut off in the
 * middle has no atom, and is none.
 */
export const readQuiver = (text: string): Design[] => {
  const designs: (Design & { lines: string[] })[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('QV_TAG ')) designs.push({ tag: line.slice(7).trim(), scores: {}, pdb: '', lines: [] });
    else if (line.startsWith('QV_SCORE ')) {
      const own = designs.at(-1);
      for (const pair of line.slice(9).trim().split(/\s+/).slice(1).join(' ').split('|')) {
        const [name, value] = pair.split('=');
        if (own && name && value !== undefined && Number.isFinite(Number(value))) own.scores[name] = Number(value);
      }
    } else if (line !== '') designs.at(-1)?.lines.push(line);
  }
  return designs
    .filter(({ lines }) => lines.some((line) => line.startsWith('ATOM')))
    .map(({ tag, scores, lines }) => ({ tag, scores, pdb: `${lines.join('\n')}\n` }));
};
