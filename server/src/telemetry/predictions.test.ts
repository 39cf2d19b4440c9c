import { expect, test } from 'vitest';
import { Loaded } from '../predictions/loaded.ts';
import { createMetrics, figuresOf, render } from './metrics.ts';
import { observePredictions } from './predictions.ts';

test('predictions at once are figures by model and version', async () => {
  const metrics = createMetrics({ version: '1', role: 'api' });
  const loaded = new Loaded({ memory: 1, open: () => Promise.reject(new Error('none')) });
  const figures = loaded.figuresOf({ name: 'lab/m', version: '1.0.0', executor: 'onnx', options: {} });
  figures.answered(3, { outputs: [], failed: [], times: { queueMs: 2, batchMs: 0.4, computeMs: 30 } });
  figures.sizes.observe(3);
  observePredictions(loaded, metrics);
  const page = await render([{ role: 'api', process: 'api', figures: await figuresOf(metrics) }]);
  const labels = (more: string) => `{role="api",process="api",${more}model="lab/m@1.0.0"`;
  expect(page).toContain('# TYPE sluice_prediction_queue_seconds histogram');
  expect(page).toMatch(/sluice_prediction_queue_seconds_bucket\{[^}]*le="0.001"[^}]*\} 0\n/);
  expect(page).toMatch(/sluice_prediction_queue_seconds_bucket\{[^}]*le="0.0025"[^}]*\} 1\n/);
  expect(page).toMatch(/sluice_prediction_compute_seconds_bucket\{[^}]*le="\+Inf"[^}]*\} 1\n/);
  expect(page).toContain(`sluice_prediction_compute_seconds_sum${labels('')}} 0.03\n`);
  expect(page).toContain(`sluice_prediction_run_rows_sum${labels('')}} 3\n`);
  expect(page).toContain(`sluice_predictions_total${labels('')},outcome="completed"} 1\n`);
  expect(page).toContain('sluice_models_loaded{role="api",process="api"} 0\n');
});
