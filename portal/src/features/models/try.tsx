import { Button, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { call } from '../../lib/api.ts';
import { duration } from '../../lib/format.ts';
import { jsonOf, sampleOf, type Schema } from '../../lib/schema.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Json } from '../../ui/json.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { SchemaForm } from '../../ui/schema-form.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { schemaQuery } from './queries.ts';
import css from './models.module.css';

interface Tried {
  answer: unknown;
  seconds: number;
  cache: string | null;
  timing: string | null;
}

const ask = async (body: object): Promise<Tried> => {
  const began = performance.now();
  const reply = await call('/v1/predict', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const answer = (await reply.json()) as unknown;
  return {
    answer,
    seconds: (performance.now() - began) / 1_000,
    cache: reply.headers.get('x-cache'),
    timing: reply.headers.get('server-timing'),
  };
};

/** The schema of one row: that of the inputs where the model's schema tells of the whole body. */
export const inputsOf = (schema: Schema): Schema => schema.properties?.['inputs'] ?? schema;

const Form = ({ reference, schema }: { reference: string; schema: Schema }) => {
  const fields = inputsOf(schema);
  const hasForm = Object.keys(fields.properties ?? {}).length > 0;
  const [mode, setMode] = useState<'form' | 'json'>(hasForm ? 'form' : 'json');
  const [inputs, setInputs] = useState<Record<string, unknown>>(() => (sampleOf(fields) as Record<string, unknown> | undefined) ?? {});
  const [text, setText] = useState(() => JSON.stringify(inputs, null, 2));
  const read = jsonOf(text);
  const body = { model: reference, inputs: mode === 'form' ? inputs : read.value };
  const tried = useMutation({ mutationFn: ask });
  const choose = (next: string) => {
    if (next === 'json') setText(JSON.stringify(inputs, null, 2));
    else if (typeof read.value === 'object' && read.value !== null && !Array.isArray(read.value))
      setInputs(read.value as Record<string, unknown>);
    setMode(next as typeof mode);
  };
  return (
    <div className={css.try}>
      <Card
        title="Inputs"
        actions={
          hasForm && (
            <Segments
              label="How to write them"
              on={mode}
              choose={choose}
              segments={[
                { id: 'form', label: 'Form' },
                { id: 'json', label: 'JSON' },
              ]}
            />
          )
        }
      >
        <form
          style={{ display: 'grid', gap: 12 }}
          onSubmit={(event) => {
            event.preventDefault();
            tried.mutate(body);
          }}
        >
          {mode === 'form' ? (
            <SchemaForm schema={fields} value={inputs} change={setInputs} />
          ) : (
            <Textarea
              label="Inputs as JSON"
              description="One row, or a list of rows."
              value={text}
              rows={12}
              spellCheck={false}
              error={read.wrong}
              styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
              onChange={({ currentTarget }) => setText(currentTarget.value)}
            />
          )}
          <div style={{ display: 'flex', gap: 8 }}>
            <Button
              type="submit"
              leftSection={<IconPlayerPlay size={14} aria-hidden />}
              disabled={mode === 'json' && read.wrong !== undefined}
              loading={tried.isPending}
            >
              Predict
            </Button>
            <CopyAs
              call={{ method: 'POST', path: '/v1/predict', body, sluice: ['model', 'try', reference, JSON.stringify(body.inputs)] }}
            />
          </div>
        </form>
      </Card>
      <Card title="Answer">
        {tried.data ? (
          <>
            <p className="quiet num" style={{ marginTop: 0 }}>
              {duration(tried.data.seconds)}
              {tried.data.cache === 'HIT' && ', a kept answer'}
              {tried.data.timing !== null && <span className="mono"> {tried.data.timing}</span>}
            </p>
            <Json value={tried.data.answer} label="answer" />
          </>
        ) : tried.error ? (
          <p role="alert" style={{ margin: 0, color: 'var(--bad)' }}>
            {tried.error.message}
          </p>
        ) : (
          <p className="quiet" style={{ margin: 0 }}>
            What the model says comes here.
          </p>
        )}
      </Card>
    </div>
  );
};

/** Asks the model at once, by a form that its schema draws. */
export const Try = ({ model, reference }: { model: string; reference: string }) => {
  const schema = useQuery(schemaQuery(model));
  // A model without a schema is asked in JSON.
  if (schema.error) return <Form reference={reference} schema={{}} />;
  return (
    <Answer of={schema} what="The schema">
      {(found) => <Form key={reference} reference={reference} schema={found} />}
    </Answer>
  );
};
