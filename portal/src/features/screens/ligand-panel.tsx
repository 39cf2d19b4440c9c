import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { duration, none } from '../../lib/format.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Facts } from '../../ui/facts.tsx';
import { FileList } from '../../ui/files.tsx';
import { Json } from '../../ui/json.tsx';
import { Molecule } from '../../ui/molecule.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Structure } from '../../ui/structure/structure.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { textQuery, type Ligand } from './queries.ts';
import { figure, ic50, ligandLook } from './words.ts';
import css from './screens.module.css';

const Figures = ({ ligand }: { ligand: Ligand }) => (
  <dl className={css.figures}>
    {(
      [
        ['P(binds)', figure(ligand.affinity_probability_binary), 'The probability that it binds at all, 0 to 1'],
        ['pIC50', figure(ligand.pic50), '-log10 of the IC50 in M; higher binds more strongly'],
        ['IC50', ic50(ligand.ic50_um), 'Predicted'],
        ['log10(IC50 in µM)', figure(ligand.affinity_pred_value, 3), 'As the model says it; lower binds more strongly'],
        [
          'Of two models',
          ligand.affinity_members === null
            ? none
            : ligand.affinity_members.map(({ affinity_pred_value: value }) => figure(6 - value)).join(' and '),
          'pIC50 of each member of the ensemble',
        ],
        ['Confidence', figure(ligand.confidence_score), '0 to 1'],
        ['Ligand ipTM', figure(ligand.ligand_iptm), 'How sure the pose is, 0 to 1'],
        ['ipTM', figure(ligand.iptm), '0 to 1'],
        ['pTM', figure(ligand.ptm), '0 to 1'],
        ['pLDDT of the complex', figure(ligand.complex_plddt), '0 to 1'],
        ['PDE of the complex', ligand.complex_pde === null ? none : `${figure(ligand.complex_pde)} Å`, 'Lower is better'],
      ] as const
    ).map(([name, value, about]) => (
      <div key={name} title={about}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

const Log = ({ url }: { url: string | undefined }) => {
  const text = useQuery({ ...textQuery(url ?? ''), enabled: url !== undefined });
  if (url === undefined) return <Empty title="It left no log" />;
  return (
    <Answer of={text} what="The log">
      {(log) => (
        <pre className={css.log} tabIndex={0} role="region" aria-label="Log">
          {log === '' ? 'It wrote nothing.' : log}
        </pre>
      )}
    </Answer>
  );
};

const Run = ({ ligand }: { ligand: Ligand }) => (
  <>
    <Facts
      of={[
        ['Model', ligand.model_version ?? none],
        [
          'Alignment',
          { user: 'the one given', server: "a server's", single_sequence: 'none: the sequence alone' }[ligand.msa ?? ''] ?? none,
        ],
        ['Attempts', String(ligand.attempts)],
        ['Took', duration(ligand.seconds)],
        ['Worker', ligand.worker ?? none],
        ['Pool', ligand.pool ?? none],
      ]}
    />
    {ligand.params ? <Json value={ligand.params} label="parameters" /> : <p className={css.note}>It has not been run.</p>}
    {ligand.tool && <Json value={ligand.tool} label="program" />}
  </>
);

const Files = ({ ligand }: { ligand: Ligand }) =>
  ligand.artifacts.length === 0 ? <Empty title="It left no files" /> : <FileList files={ligand.artifacts} />;

const parts = [
  { id: 'structure', label: 'Structure' },
  { id: 'log', label: 'Log' },
  { id: 'run', label: 'Parameters' },
  { id: 'files', label: 'Files' },
] as const;
type Part = (typeof parts)[number]['id'];

/** One ligand in full: what was predicted, how sure the model is, its structure, its log, and what it was run with. */
export const LigandPanel = ({ screen, ligand }: { screen: string; ligand: Ligand }) => {
  const [part, setPart] = useState<Part>(ligand.status === 'ok' ? 'structure' : 'log');
  const urlOf = (file: string) => ligand.artifacts.find(({ name }) => name === file)?.url;
  const structure = urlOf('structure.cif');
  const smiles = ligand.smiles_canonical ?? ligand.smiles_submitted;
  return (
    <Card
      title={ligand.name ?? ligand.id}
      actions={<Segments label="What to show of it" on={part} choose={(id) => setPart(id as Part)} segments={parts} />}
    >
      <div className={css.panel}>
        <div className={css.side}>
          <div className={css.line}>
            <Status {...ligandLook[ligand.status]} chip />
            <span className="mono quiet">{ligand.id}</span>
          </div>
          {ligand.error && (
            <p className={css.error}>
              <span className="mono">{ligand.error.code}</span> {ligand.error.message}
            </p>
          )}
          {smiles !== null && (
            <>
              <Molecule smiles={smiles} width={280} height={170} />
              <div className={css.smiles}>
                <span className="mono cut" title={smiles}>
                  {smiles}
                </span>
                <CopyButton text={smiles} what="SMILES" />
              </div>
            </>
          )}
          {ligand.ccd !== null && <span className="mono">CCD {ligand.ccd}</span>}
          {ligand.inchikey !== null && <span className="mono quiet">{ligand.inchikey}</span>}
          <Figures ligand={ligand} />
          <Link className="link" to={`/batches/${screen}`} search={{ tab: 'requests', line: String(ligand.line) }}>
            Its request: input, attempts, retry
          </Link>
        </div>
        <div className={css.main}>
          {part === 'structure' &&
            (structure ? (
              <Structure url={structure} pae={urlOf('pae.npz')} name={ligand.name ?? ligand.id} />
            ) : (
              <Empty title="It has no structure">{ligand.error?.message ?? 'It has not been predicted yet.'}</Empty>
            ))}
          {part === 'log' && <Log url={urlOf('logs.txt')} />}
          {part === 'run' && <Run ligand={ligand} />}
          {part === 'files' && <Files ligand={ligand} />}
        </div>
      </div>
    </Card>
  );
};
