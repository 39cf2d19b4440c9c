import { expect, test } from 'vitest';
import { nameOf, nextOf } from './upload.tsx';

test('a file suggests its name, and a version the one after it', () => {
  expect(['iris.onnx', 'My model (2).ONNX', 'team/a.onnx'].map(nameOf)).toEqual(['iris', 'My-model-2-', 'team/a']);
  expect([null, '1.0.0', '2.9.4-rc.1'].map(nextOf)).toEqual(['1.0.0', '1.1.0', '2.10.0']);
});
