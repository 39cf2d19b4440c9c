import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useCrumb } from '../../lib/crumb-names.ts';
import { plural } from '../../lib/format.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Structure } from '../../ui/structure/structure.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { ligandQuery, ligandsQuery, screenQuery, type Ligand } from './queries.ts';
import { figure, ic50 } from './words.ts';
import css from './screens.module.css';

const codec = address<{ model: number | null }>({ model: param.whole(1, 99, 1) });

/** The best structure of a ligand, and those that came after it, each with its map of aligned errors. */
const modelsOf = ({ artifacts }: Ligand) => {
  const urlOf = (name: string) => artifacts.find((each) => each.name === name)?.url;
  const found: { url: string; pae: string | undefined }[] = [];
  for (let rank = 0; ; rank++) {
    const url = urlOf(rank === 0 ? 'structure.cif' : `model_${rank}.cif`);
    if (url === undefined) return found;
    found.push({ url, pae: urlOf(rank === 0 ? 'pae.npz' : `pae_model_${rank}.npz`) });
  }
};

/** All structures of the screen, the likeliest binders first. */
const Others = ({ batch, line }: { batch: string; line: number }) => {
  const ligands = useQuery(ligandsQuery(batch));
  const shown = (ligands.data ?? [])
    .filter((each) => each.artifacts.some(({ name }) => name === 'structure.cif'))
    .toSorted((a, b) => (b.affinity_probability_binary ?? -1) - (a.affinity_probability_binary ?? -1));
  return (
    <nav className={css.others} aria-label="Structures of this screen" tabIndex={0}>
      <div className={css.othersHead}>
        <span>{plural(shown.length, 'structure')}</span>
        <span>P(binds)</span>
      </div>
      {shown.map((each) => (
        <Link
          key={each.line}
          to={`/structures/${batch}/${each.line}`}
          className={css.other}
          aria-current={each.line === line ? 'page' : undefined}
        >
          <bdi className="cut">{each.name ?? each.id}</bdi>
          <span className="num quiet">{figure(each.affinity_probability_binary)}</span>
        </Link>
      ))}
    </nav>
  );
};

/** The structure of one ligand of a screen, with the room of a page. */
const StructurePage = () => {
  const { batch, line } = useParams({ strict: false }) as { batch: string; line: string };
  const screen = useQuery(screenQuery(batch));
  const ligand = useQuery(ligandQuery(batch, Number(line)));
  const name = ligand.data ? (ligand.data.name ?? ligand.data.id) : `Ligand ${line}`;
  useCrumb(`/structures/${batch}/${line}`, ligand.data && name);
  const { values, set } = useAddress(codec);
  const models = ligand.data ? modelsOf(ligand.data) : [];
  const model = models[(values.model ?? 1) - 1] ?? models[0];
  return (
    <Page
      title={name}
      note={
        <Link className="link" to={`/screens/${batch}`} search={{ line }}>
          in {screen.data?.name ?? 'its screen'}
        </Link>
      }
      actions={
        <>
          {screen.data && Number(line) < screen.data.ligands && (
            <Button component={Link} to={`/structures/${batch}/${Number(line) + 1}`} variant="default">
              Next ligand
            </Button>
          )}
          <CopyAs call={{ method: 'GET', path: model?.url ?? `/v1/batches/${batch}/requests/${line}/artifacts` }} />
        </>
      }
    >
      <Answer of={ligand} what="The ligand">
        {(found) => {
          if (found === null) return <Empty title={`There is no ligand ${line}`} />;
          if (model === undefined)
            return <Empty title="It has no structure">{found.error?.message ?? 'It has not been predicted yet.'}</Empty>;
          return (
            <div className={css.structures}>
              <Others batch={batch} line={Number(line)} />
              <Card>
                <p className={css.note}>
                  P(binds) <b>{figure(found.affinity_probability_binary)}</b>, pIC50 <b>{figure(found.pic50)}</b> ({ic50(found.ic50_um)}),
                  ligand ipTM <b>{figure(found.ligand_iptm)}</b>, confidence <b>{figure(found.confidence_score)}</b>
                </p>
                {models.length > 1 && (
                  <Segments
                    label="Which of its structures, the best first"
                    on={String(models.indexOf(model) + 1)}
                    choose={(id) => set({ model: Number(id) }, { keep: true })}
                    segments={models.map((_, i) => ({ id: String(i + 1), label: `Model ${i + 1}` }))}
                  />
                )}
                <Structure {...model} name={name} />
              </Card>
            </div>
          );
        }}
      </Answer>
    </Page>
  );
};

export default StructurePage;
