import { Link } from '@tanstack/react-router';
import { count } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import type { Summary } from './queries.ts';
import { figure } from './words.ts';
import css from './screens.module.css';

const List = ({ id, title, about, of }: { id: string; title: string; about: string; of: Summary['top_by_pic50'] }) => (
  <Card title={title} flush>
    <div className={css.scroll} tabIndex={0} role="region" aria-label={title}>
      <table className={css.table}>
        <caption className="quiet">{about}</caption>
        <thead>
          <tr>
            <th>Rank</th>
            <th>Ligand</th>
            <th className={css.right}>P(binds)</th>
            <th className={css.right}>pIC50</th>
            <th className={css.right}>Ligand ipTM</th>
          </tr>
        </thead>
        <tbody>
          {of.map(({ rank, id: ligand, name, line, affinity_probability_binary: odds, pic50, ligand_iptm: iptm }) => (
            <tr key={ligand}>
              <td className="num">{rank}</td>
              <td>
                <Link className="link" to={`/screens/${id}`} search={{ line: String(line) }}>
                  {name ?? ligand}
                </Link>
              </td>
              <td className={css.right}>{figure(odds)}</td>
              <td className={css.right}>{figure(pic50)}</td>
              <td className={css.right}>{figure(iptm)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </Card>
);

/** The best by each of two questions: does it bind at all, and how strongly. */
export const Best = ({ id, summary }: { id: string; summary: Summary }) => (
  <div className={css.two}>
    <List id={id} title="By probability" about="Most likely to bind at all: for finding hits." of={summary.top_by_probability} />
    <List id={id} title="By pIC50" about="Strongest predicted binding: for ranking those that bind." of={summary.top_by_pic50} />
  </div>
);

const names: Record<string, string> = {
  affinity_probability_binary: 'P(binds)',
  pic50: 'pIC50',
  ic50_um: 'IC50, µM',
  affinity_pred_value: 'log10(IC50 in µM)',
  confidence_score: 'Confidence',
  ligand_iptm: 'Ligand ipTM',
  iptm: 'ipTM',
  ptm: 'pTM',
  complex_plddt: 'pLDDT of the complex',
  complex_pde: 'PDE of the complex, Å',
  seconds: 'Seconds',
};

export const Statistics = ({ summary: { statistics } }: { summary: Summary }) => {
  const rows = Object.entries(statistics).flatMap(([name, of]) => (of === null ? [] : [[name, of] as const]));
  if (rows.length === 0) return null;
  return (
    <Card title="Over all ligands" flush>
      <div className={css.scroll} tabIndex={0} role="region" aria-label="Over all ligands">
        <table className={css.table}>
          <thead>
            <tr>
              <th>Figure</th>
              {['Ligands', 'Mean', 'Lowest', 'Quarter', 'Median', 'Three quarters', 'Highest'].map((head) => (
                <th key={head} className={css.right}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, { count: n, mean, min, q25, median, q75, max }]) => (
              <tr key={name}>
                <td>{names[name] ?? name}</td>
                <td className={css.right}>{count(n)}</td>
                {[mean, min, q25, median, q75, max].map((value, i) => (
                  <td key={i} className={css.right}>
                    {figure(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
};

export const Causes = ({ summary: { failures } }: { summary: Summary }) =>
  failures.length === 0 ? null : (
    <Card title="Why ligands have no result">
      <ul className={css.causes}>
        {failures.map(({ code, count: n, example }) => (
          <li key={code}>
            <b className="num">{count(n)}</b> <span className="mono">{code}</span> <span className="quiet">{example}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
