import { useComputedColorScheme } from '@mantine/core';
import { drawingOf } from './columns.ts';

/** A molecule, drawn by the server: nothing of the chemistry is in the page. */
export const Molecule = ({ smiles, width, height, highlight }: { smiles: string; width: number; height: number; highlight?: string }) => {
  const theme = useComputedColorScheme('light');
  return (
    <img
      src={drawingOf(smiles, { w: width, h: height, theme, ...(highlight && { hl: highlight }) })}
      width={width}
      height={height}
      loading="lazy"
      alt={`Structure of ${smiles}`}
      style={{ display: 'block' }}
    />
  );
};
