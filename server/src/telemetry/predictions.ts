import type { MetricValue } from 'prom-client';
import type { Counts, ModelFigures } from '../predictions/figures.ts';
import type { Loaded } from '../predictions/loaded.ts';
import type { Metrics } from './metrics.ts';

type Values = (MetricValue<string> & { metricName?: string })[];

/** A histogram's buckets, each with all below it, as prom-client prints them. */
const buckets = (name: string, labels: Record<string, string>, { bounds, counts, sum, count }: Counts): Values => {
  let below = 0;
  const values = bounds.map((le, i) => {
    below += counts[i]!;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
  });
  return [
    ...values,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
};

const histograms: { name: string; help: string; of: (figures: ModelFigures) => Counts }[] = [
  { name: 'sluice_prediction_queue_seconds', help: 'How long predictions waited for a process of their model.', of: ({ queue }) => queue },
  {
    name: 'sluice_prediction_batch_seconds',
    help: 'How long they were under way without being computed: with others of their run, and to the process and back.',
    of: ({ batch }) => batch,
  },
  { name: 'sluice_prediction_compute_seconds', help: 'How long the runs took that they shared.', of: ({ compute }) => compute },
  { name: 'sluice_prediction_run_rows', help: 'Rows that shared a run.', of: ({ sizes }) => sizes },
];

/**
 * Adds the figures of predictions at once. They are counted where predictions are, in a few additions each, and read when
 * somebody looks: prom-client's own counters would cost a prediction a tenth of its time.
 */
export const observePredictions = (loaded: Loaded, { registry }: Metrics): void => {
  const labelsOf = ({ model, version }: ModelFigures) => ({ model: `${model}@${version}` });
  const add = (name: string, help: string, type: string, read: () => Values): void => {
    const get = () => Promise.resolve({ name, help, type, aggregator: 'sum', values: read() });
    // Anything with a name that can be read will do, which prom-client's types do not say.
    registry.registerMetric({ name, get } as never);
  };
  for (const { name, help, of } of histograms)
    add(name, help, 'histogram', () => [...loaded.figures].flatMap((figures) => buckets(name, labelsOf(figures), of(figures))));
  add('sluice_predictions_total', "Predictions answered: completed, or an error's code.", 'counter', () =>
    [...loaded.figures].flatMap((figures) => [
      { labels: { ...labelsOf(figures), outcome: 'completed' }, value: figures.completed },
      ...[...figures.failed].map(([outcome, value]) => ({ labels: { ...labelsOf(figures), outcome }, value })),
    ]),
  );
  add('sluice_predictions_rejected_total', 'Predictions refused because the queue was too long for them.', 'counter', () =>
    [...loaded.figures].map((figures) => ({ labels: labelsOf(figures), value: figures.failed.get('model_overloaded') ?? 0 })),
  );
  add('sluice_prediction_queue_rows', 'Rows that wait now.', 'gauge', () =>
    loaded.list().map(({ model, waiting }) => ({ labels: { model: `${model.name}@${model.version}` }, value: waiting })),
  );
  add('sluice_models_loaded', 'Models that are loaded for predictions.', 'gauge', () => [{ labels: {}, value: loaded.list().length }]);
  add('sluice_models_loaded_bytes', 'Bytes that the processes of loaded models hold.', 'gauge', () =>
    loaded.list().map(({ model, memory }) => ({ labels: { model: `${model.name}@${model.version}` }, value: memory })),
  );
};
