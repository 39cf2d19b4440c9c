import { Button, Checkbox, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import '@mantine/core/styles/NumberInput.css';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { api, bodyOf, call, Failure } from '../../lib/api.ts';
import { count, plural } from '../../lib/format.ts';
import type { Schema } from '../../lib/schema.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { SchemaForm } from '../../ui/schema-form.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { bodyOfProteins, countOf, proteinsOf, smilesOf, wrongOf } from './protein.ts';
import css from './screens.module.css';

type Body = NonNullable<Parameters<typeof api.POST<'/v1/screens', { body: never }>>[1]>['body'];

const mono = { input: { fontFamily: 'var(--mono)', fontSize: 12 } };

/** Molecules that the live check looks at; the server checks all of them. */
const looked = 500;

/** Texts of a list that are no molecules, said while it is typed. */
const useMolecules = (text: string): { said: string; wrong: boolean } => {
  const [settled] = useDebouncedValue(text, 400);
  const smiles = smilesOf(settled);
  const some = smiles?.slice(0, looked) ?? [];
  const check = useQuery({
    queryKey: ['molecules', 'check', some],
    queryFn: () => bodyOf(api.POST('/v1/molecules/check', { body: { smiles: some } })),
    enabled: some.length > 0,
    staleTime: Infinity,
  });
  if (text.trim() === '') return { said: '', wrong: false };
  const all = plural(countOf(text), 'ligand');
  if (smiles === null) return { said: `${all} in a table; they are checked when the screen is created.`, wrong: false };
  if (!check.data || settled !== text) return { said: `${all}; checking …`, wrong: false };
  const bad = check.data.data.filter(({ valid }) => !valid);
  const of = smiles.length > looked ? `the first ${count(looked)} of ${all}` : all;
  if (bad.length === 0) return { said: `${of}: each is a molecule.`, wrong: false };
  const { index, error } = bad[0] as (typeof bad)[number] & { error?: { message: string } | null };
  const why = error?.message ? `: ${error.message}` : '.';
  return { said: `${count(bad.length)} of ${of} cannot be read, first ${index + 1} (${some[index]})${why}`, wrong: true };
};

/** Which field of the form a refusal is about. */
const fieldOf = (param: string | null): string => {
  const [first = ''] = (param ?? '').split('.');
  if (first === 'proteins' || first === 'sequence') return 'protein';
  if (first === 'completion_window') return 'deadline';
  return ['name', 'model', 'protein', 'ligands', 'deadline', 'priority', 'max_concurrent'].includes(first) ? first : 'form';
};

const Form = ({ models }: { models: string[] }) => {
  const navigate = useNavigate();
  const file = useRef<HTMLInputElement>(null);
  const [model, setModel] = useState(models.includes('boltz-2') ? 'boltz-2' : models[0]!);
  const [name, setName] = useState('');
  const [protein, setProtein] = useState('');
  const [ligands, setLigands] = useState('');
  const [affinity, setAffinity] = useState(true);
  const [refuse, setRefuse] = useState(false);
  const [inputs, setInputs] = useState<Record<string, unknown>>({});
  const [parameters, setParameters] = useState<Record<string, unknown>>({});
  const [most, setMost] = useState<number | null>(null);
  const [deadline, setDeadline] = useState('');
  const [priority, setPriority] = useState<string | null>(null);
  const schema = useQuery({
    queryKey: ['model', model, 'schema'],
    queryFn: async () =>
      (await (await call(`/v1/models/${encodeURIComponent(model)}/schema`)).json()) as Schema & { $defs?: { parameters?: Schema } },
    staleTime: 60_000,
  });
  const proteins = proteinsOf(protein);
  const wrong = protein === '' ? null : wrongOf(proteins);
  const molecules = useMolecules(ligands);
  const body = {
    ...(name !== '' && { name }),
    model,
    ...(proteins.length > 0 && bodyOfProteins(proteins)),
    ligands,
    affinity,
    ...inputs,
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(refuse && { invalid: 'refuse' as const }),
    ...(most !== null && { max_concurrent: most }),
    ...(deadline !== '' && { deadline: Math.floor(new Date(deadline).getTime() / 1_000) }),
    ...(priority !== null && { priority }),
  };
  const create = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/screens', { body: body as Body })),
    onSuccess: ({ id }) => void navigate({ to: `/screens/${id}` }),
  });
  const failure = create.error;
  const at = failure instanceof Failure ? fieldOf(failure.param) : 'form';
  const said = (field: string): string | undefined => (failure && at === field ? failure.message : undefined);
  const optional = Object.fromEntries(
    Object.entries(schema.data?.properties ?? {}).filter(([key]) => key === 'pocket' || key === 'templates'),
  );
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Card title="What to screen">
        <div className={css.form}>
          <div className={css.row}>
            <TextInput
              label="Name"
              placeholder="KRAS G12C, first library"
              value={name}
              error={said('name')}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
            />
            <Select
              label="Model"
              data={models}
              value={model}
              error={said('model')}
              allowDeselect={false}
              onChange={(chosen) => chosen !== null && setModel(chosen)}
            />
          </div>
          <div>
            <Textarea
              label="Protein"
              description="FASTA or a bare sequence; several make a complex."
              required
              rows={5}
              spellCheck={false}
              styles={mono}
              value={protein}
              error={wrong ?? said('protein')}
              onChange={({ currentTarget }) => setProtein(currentTarget.value)}
            />
            {protein !== '' && wrong === null && (
              <p className={`${css.check} quiet`}>{proteins.map((each) => plural(each.sequence.length, 'residue')).join(' + ')}</p>
            )}
          </div>
          <div>
            <Textarea
              label="Ligands"
              description="A line each: SMILES and, behind a blank, a name. Or CSV or TSV with a column smiles, and perhaps id, name and ccd."
              placeholder={'CC(=O)Oc1ccccc1C(=O)O aspirin\nCn1cnc2c1c(=O)n(C)c(=O)n2C caffeine'}
              required
              rows={8}
              spellCheck={false}
              styles={mono}
              value={ligands}
              error={said('ligands')}
              onChange={({ currentTarget }) => setLigands(currentTarget.value)}
            />
            <p className={`${css.check} ${molecules.wrong ? css.wrong : 'quiet'}`} role="status">
              {molecules.said}
            </p>
            <input
              ref={file}
              type="file"
              hidden
              accept=".smi,.smiles,.txt,.csv,.tsv"
              aria-label="File of ligands"
              onChange={({ currentTarget }) => void currentTarget.files?.[0]?.text().then(setLigands)}
            />
            <Button variant="default" onClick={() => file.current?.click()}>
              Read them from a file
            </Button>
          </div>
          <Checkbox label="Predict affinity" checked={affinity} onChange={({ currentTarget }) => setAffinity(currentTarget.checked)} />
        </div>
      </Card>
      <Card title="When and how">
        <div className={css.row}>
          <TextInput
            label="Deadline"
            description="Where there is none: in 7 days."
            type="datetime-local"
            value={deadline}
            error={said('deadline')}
            onChange={({ currentTarget }) => setDeadline(currentTarget.value)}
          />
          <Select
            label="Priority"
            description="More is sooner."
            data={['normal', 'medium', 'high']}
            placeholder="normal"
            clearable
            value={priority}
            error={said('priority')}
            onChange={setPriority}
          />
          <NumberInput
            label="At the same time"
            description="Ligands at most; empty: as many as fit."
            min={1}
            allowDecimal={false}
            hideControls
            value={most ?? ''}
            error={said('max_concurrent')}
            onChange={(value) => setMost(typeof value === 'number' ? value : null)}
          />
        </div>
      </Card>
      <Card>
        <details className={css.fold}>
          <summary>Advanced</summary>
          <div className={css.form}>
            <Checkbox
              label="Refuse the whole screen if one ligand cannot be read"
              description="Else the others run, and that one has its reason in the results."
              checked={refuse}
              onChange={({ currentTarget }) => setRefuse(currentTarget.checked)}
            />
            <Answer of={schema} what="What the model takes">
              {({ $defs: { parameters: known } = {} }) => (
                <>
                  {known && <SchemaForm schema={known} value={parameters} change={setParameters} />}
                  <SchemaForm schema={{ properties: optional }} value={inputs} change={setInputs} />
                </>
              )}
            </Answer>
          </div>
        </details>
      </Card>
      {said('form') && (
        <p role="alert" className={css.error}>
          {said('form')}
        </p>
      )}
      <div style={{ display: 'flex', gap: 8 }}>
        <Button type="submit" disabled={protein === '' || wrong !== null || ligands.trim() === ''} loading={create.isPending}>
          Start the screen
        </Button>
        <CopyAs call={{ method: 'POST', path: '/v1/screens', body }} />
      </div>
    </form>
  );
};

/** A new screen: a protein, ligands, and what the model's own schema lets be chosen. */
const NewScreen = () => {
  const models = useQuery({ queryKey: ['models', 'screens'], queryFn: () => bodyOf(api.GET('/v1/models')) });
  return (
    <Page title="New screen">
      <Answer of={models} what="The list of models">
        {({ data }) => {
          const able = [...new Set(data.filter(({ executor }) => executor === 'boltz').map(({ name }) => name))];
          return able.length > 0 ? (
            <Form models={able} />
          ) : (
            <Empty title="No model here predicts proteins with ligands">
              The operator declares one with the executor <span className="mono">boltz</span>.
            </Empty>
          );
        }}
      </Answer>
    </Page>
  );
};

export default NewScreen;
