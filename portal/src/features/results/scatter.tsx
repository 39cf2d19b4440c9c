import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { count } from '../../lib/format.ts';
import { Answer, Empty } from '../../ui/states.tsx';
import { isNumber, shown } from './columns.ts';
import { scatterQuery, type Column, type Scatter as Points } from './queries.ts';
import css from './results.module.css';

const size = { width: 900, height: 460, pad: 46 };

const range = (values: readonly number[]): [number, number] => {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
};

/** Points on a canvas: 50,000 elements would be too many. The ends of both axes are said in words beside it. */
const Plot = ({ points, x, y, open }: { points: Points; x: string; y: string; open: (line: number) => void }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [over, setOver] = useState<number | null>(null);
  const [xs, ys] = [range(points.x), range(points.y)];
  const px = (value: number) => size.pad + ((value - xs[0]) / (xs[1] - xs[0])) * (size.width - size.pad - 12);
  const py = (value: number) => size.height - size.pad + 14 - ((value - ys[0]) / (ys[1] - ys[0])) * (size.height - size.pad - 4);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const style = getComputedStyle(document.documentElement);
    const ratio = devicePixelRatio || 1;
    canvas.current!.width = size.width * ratio;
    canvas.current!.height = size.height * ratio;
    context.scale(ratio, ratio);
    context.clearRect(0, 0, size.width, size.height);
    context.strokeStyle = style.getPropertyValue('--line-strong');
    context.strokeRect(size.pad, 8, size.width - size.pad - 12, size.height - size.pad + 8);
    context.fillStyle = style.getPropertyValue('--bar-run');
    context.globalAlpha = points.x.length > 5_000 ? 0.35 : 0.7;
    for (let i = 0; i < points.x.length; i++) {
      context.beginPath();
      context.arc(px(points.x[i]!), py(points.y[i]!), points.x.length > 5_000 ? 1.5 : 3, 0, 7);
      context.fill();
    }
  });
  const nearest = (event: { clientX: number; clientY: number }): number | null => {
    const { left, top, width } = canvas.current!.getBoundingClientRect();
    const scale = size.width / width;
    const [mx, my] = [(event.clientX - left) * scale, (event.clientY - top) * scale];
    let [best, far] = [-1, 144];
    for (let i = 0; i < points.x.length; i++) {
      const d = (px(points.x[i]!) - mx) ** 2 + (py(points.y[i]!) - my) ** 2;
      if (d < far) [best, far] = [i, d];
    }
    return best < 0 ? null : best;
  };
  return (
    <>
      <canvas
        ref={canvas}
        className={css.plot}
        role="img"
        aria-label={`${count(points.x.length)} points: ${x} from ${shown(xs[0])} to ${shown(xs[1])}, ${y} from ${shown(ys[0])} to ${shown(ys[1])}`}
        onPointerMove={(event) => setOver(nearest(event))}
        onPointerLeave={() => setOver(null)}
        onClick={(event) => {
          const found = nearest(event);
          if (found !== null) open(points.line[found]!);
        }}
      />
      <p className="quiet num" style={{ margin: 0 }}>
        {over === null
          ? `${x}: ${shown(xs[0])} to ${shown(xs[1])}; ${y}: ${shown(ys[0])} to ${shown(ys[1])}. ${count(points.x.length)} of ${count(points.total)} rows${points.sampled ? ', a sample' : ''}.`
          : `Line ${points.line[over]}: ${x} ${shown(points.x[over])}, ${y} ${shown(points.y[over])}. Press to open it.`}
      </p>
    </>
  );
};

/** Two properties against each other. */
export const Scatter = ({
  batch,
  columns,
  where,
  open,
}: {
  batch: string;
  columns: readonly Column[];
  where: string;
  open: (line: number) => void;
}) => {
  const numbers = columns.filter((column) => isNumber(column) && column.role !== 'line').map(({ name }) => name);
  const first = columns.filter((column) => column.role === 'output' && isNumber(column)).map(({ name }) => name);
  const [x, setX] = useState<string | null>(first[0] ?? numbers[0] ?? null);
  const [y, setY] = useState<string | null>(first[1] ?? numbers.find((name) => name !== x) ?? null);
  const points = useQuery(
    scatterQuery(batch, { x: x ?? undefined, y: y ?? undefined, where: where || undefined }, x !== null && y !== null),
  );
  if (numbers.length < 2)
    return <Empty title="Two columns of numbers are needed">This table has {numbers.length === 0 ? 'none' : 'one'}.</Empty>;
  return (
    <>
      <div className={css.choices}>
        <Select size="xs" label="Across" data={numbers} value={x} onChange={setX} allowDeselect={false} w={200} />
        <Select size="xs" label="Up" data={numbers} value={y} onChange={setY} allowDeselect={false} w={200} />
      </div>
      {x !== null && y !== null && (
        <Answer of={points} what="The points">
          {(found) => <Plot points={found} x={x} y={y} open={open} />}
        </Answer>
      )}
    </>
  );
};
