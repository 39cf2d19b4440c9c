import { round, type Bench } from './figures.ts';
import { watched } from './machine.ts';
import { benchOnnx } from './onnx.ts';

/** The figures of onnx.ts in the shape of the others. */
export const onnx: Bench = {
  name: 'onnx',
  about: 'the onnx executor against bare loops over the same rows',
  async run() {
    const { result, foreign } = await watched(() => benchOnnx());
    return result.flatMap(({ name, processes, sluice, bare, ratio, target }) => [
      {
        bench: 'onnx',
        name: `${name}, ${processes} ${processes === 1 ? 'process' : 'processes'}`,
        value: sluice,
        unit: 'rows/s',
        foreign: [foreign],
      },
      { bench: 'onnx', name: `${name}, bare loop`, value: bare, unit: 'rows/s', foreign: [foreign] },
      {
        bench: 'onnx',
        name: `${name}, sluice : bare`,
        value: round(100 * ratio),
        unit: '%',
        target: { least: 100 * target },
        foreign: [foreign],
      },
    ]);
  },
};
