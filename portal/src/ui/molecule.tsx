import { useComputedColorScheme } from '@mantine/core';
import { writeQuery } from '../lib/url.ts';

/** A molecule, drawn by the server: nothing of the chemistry is in the page. A text that is none is drawn as what is wrong with it. */
export const Molecule = ({ smiles, width, height, highlight }: { smiles: string; width: number; height: number; highlight?: string }) => {
  const theme = useComputedColorScheme('light');
  return (
    <img
      src={`/v1/depict${writeQuery({ smiles, w: width, h: height, theme, errors: 'svg', wait: 5_000, hl: highlight })}`}
      width={width}
      height={height}
      loading="lazy"
      alt={`Structure of ${smiles}`}
      style={{ display: 'block' }}
    />
  );
};
