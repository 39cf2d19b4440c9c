import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { count, none } from '../../lib/format.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Molecule } from '../../ui/molecule.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { LigandPanel } from './ligand-panel.tsx';
import { ligandQuery, ligandsQuery, mostShown, type Ligand, type Screen } from './queries.ts';
import { figure, ic50, ligandLook, sorted, type Sort } from './words.ts';
import css from './screens.module.css';

const fileOf = ({ artifacts }: Ligand, name: string): string | undefined => artifacts.find((each) => each.name === name)?.url;

const columnsOf = (screen: string): Column<Ligand, Sort>[] => [
  { id: 'line', header: '#', width: '48px', right: true, sort: 'line', cell: ({ line }) => line },
  {
    id: 'drawing',
    header: 'Structure',
    width: '104px',
    cell: ({ smiles_canonical: canonical, smiles_submitted: given, ccd }) => {
      const smiles = canonical ?? given;
      return smiles === null ? <span className="mono quiet">{ccd ?? none}</span> : <Molecule smiles={smiles} width={88} height={52} />;
    },
  },
  {
    id: 'name',
    header: 'Ligand',
    width: 'minmax(110px, 1.5fr)',
    sort: 'name',
    cell: ({ id, name }) => <span title={name === null ? id : `${name} (${id})`}>{name ?? id}</span>,
  },
  {
    id: 'status',
    header: 'Status',
    width: '136px',
    sort: 'status',
    cell: ({ status, error }) => (
      <span title={error?.message}>
        <Status {...ligandLook[status]} />
      </span>
    ),
  },
  {
    id: 'probability',
    header: 'P(binds)',
    width: '84px',
    right: true,
    sort: 'probability',
    cell: (row) => figure(row.affinity_probability_binary),
  },
  { id: 'pic50', header: 'pIC50', width: '72px', right: true, sort: 'pic50', cell: ({ pic50 }) => figure(pic50) },
  { id: 'ic50', header: 'IC50', width: '84px', right: true, cell: ({ ic50_um: um }) => ic50(um) },
  { id: 'confidence', header: 'Confidence', width: '96px', right: true, sort: 'confidence', cell: (row) => figure(row.confidence_score) },
  { id: 'iptm', header: 'Ligand ipTM', width: '102px', right: true, sort: 'iptm', cell: ({ ligand_iptm: value }) => figure(value) },
  {
    id: 'files',
    header: 'Files',
    width: '110px',
    cell: (ligand) => {
      const log = fileOf(ligand, 'logs.txt');
      return (
        <span className={css.links}>
          {ligand.artifacts.some(({ name }) => name === 'structure.cif') && (
            <Link className="link" to={`/structures/${screen}/${ligand.line}`} aria-label={`3D structure of ${ligand.name ?? ligand.id}`}>
              3D
            </Link>
          )}
          {log && (
            <a className="link" href={log} download aria-label={`Log of ${ligand.name ?? ligand.id}`}>
              log
            </a>
          )}
        </span>
      );
    },
  },
];

const Chosen = ({ screen, line }: { screen: string; line: number }) => {
  const ligand = useQuery(ligandQuery(screen, line));
  return (
    <Answer of={ligand} what="The ligand">
      {(found) =>
        found === null ? <Empty title={`There is no ligand ${line}`} /> : <LigandPanel key={found.id} screen={screen} ligand={found} />
      }
    </Answer>
  );
};

/** Each ligand with what was predicted for it, and one of them in full below. */
export const Ligands = ({
  screen,
  line,
  choose,
  sort,
  onSort,
}: {
  screen: Screen;
  line: number | null;
  choose: (line: number) => void;
  sort: { by: Sort; down: boolean };
  onSort: (sort: { by: Sort; down: boolean }) => void;
}) => {
  const ligands = useQuery(ligandsQuery(screen.id));
  const all = screen.ligands <= mostShown;
  const { by, down } = sort;
  const rows = useMemo(() => sorted(ligands.data ?? [], all ? { by, down } : { by: 'line', down: false }), [ligands.data, all, by, down]);
  const columns = useMemo(() => columnsOf(screen.id), [screen.id]);
  return (
    <>
      <Answer of={ligands} what="The ligands">
        {() => (
          <div className={css.ligands} data-small={rows.length <= 4 || undefined}>
            <DataTable
              label="Ligands"
              columns={columns}
              rows={rows}
              idOf={({ request }) => request}
              rowHeight={60}
              total={screen.ligands}
              {...(all && { sort, onSort })}
              onOpen={(ligand) => choose(ligand.line)}
              foot={
                all
                  ? 'Choose a ligand to see its structure, figures and log.'
                  : `The first ${count(mostShown)} of ${count(screen.ligands)}. The best of all are under Top performers, all in the files.`
              }
              empty={<Empty title="Its ligands are being read" />}
            />
          </div>
        )}
      </Answer>
      {line !== null && <Chosen screen={screen.id} line={line} />}
    </>
  );
};
