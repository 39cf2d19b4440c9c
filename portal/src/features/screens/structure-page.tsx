import { Button, Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useCrumb } from '../../lib/crumb-names.ts';
import { plural } from '../../lib/format.ts';
import { address, param, type Param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { mostOthers, type Other } from '../../ui/structure/overlays.tsx';
import { Structure } from '../../ui/structure/structure.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { ligandQuery, ligandsQuery, screenQuery, type Ligand } from './queries.ts';
import { figure, ic50 } from './words.ts';
import css from './screens.module.css';

/** Lines of the screen, apart by commas. */
const lines: Param<readonly number[]> = {
  parse: (text) =>
    /^[1-9]\d{0,8}(,[1-9]\d{0,8})*$/.test(text) ? [...new Set(text.split(',').map(Number))].slice(0, mostOthers) : undefined,
  format: (value) => value.join(','),
  fallback: [],
};

const codec = address<{ model: number | null; with: readonly number[] }>({ model: param.whole(1, 99, 1), with: lines });

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

const none: readonly Ligand[] = [];

const structureOf = ({ artifacts }: Ligand): string | undefined => artifacts.find(({ name }) => name === 'structure.cif')?.url;

interface OthersProps {
  batch: string;
  line: number;
  name: string;
  ligands: readonly Ligand[];
  /** Lines whose structures are laid over the one that is shown. */
  over: readonly number[];
  lay: (over: readonly number[]) => void;
}

/** All structures of the screen, the likeliest binders first: each can be gone to, and laid over the one that is shown. */
const Others = ({ batch, line, name, ligands, over, lay }: OthersProps) => {
  const shown = ligands
    .filter((each) => structureOf(each) !== undefined)
    .toSorted((a, b) => (b.affinity_probability_binary ?? -1) - (a.affinity_probability_binary ?? -1));
  return (
    <nav className={css.others} aria-label="Structures of this screen" tabIndex={0}>
      <div className={css.othersHead}>
        <span>{plural(shown.length, 'structure')}</span>
        <span>P(binds)</span>
      </div>
      {shown.map((each) => {
        const on = over.includes(each.line);
        const kept = over.filter((other) => other !== each.line);
        return (
          <div key={each.line} className={css.other} data-here={each.line === line || undefined}>
            <Checkbox
              size="xs"
              aria-label={`Lay ${each.name ?? each.id} onto ${name}`}
              title="Lay it over the structure that is shown"
              checked={on}
              disabled={each.line === line || (!on && over.length >= mostOthers)}
              onChange={() => lay(on ? kept : [...over, each.line])}
            />
            <Link
              to={`/structures/${batch}/${each.line}`}
              search={{ with: kept.length > 0 ? kept.join(',') : undefined }}
              aria-current={each.line === line ? 'page' : undefined}
            >
              <bdi className="cut">{each.name ?? each.id}</bdi>
              <span className="num quiet">{figure(each.affinity_probability_binary)}</span>
            </Link>
          </div>
        );
      })}
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
  const ligands = useQuery(ligandsQuery(batch)).data ?? none;
  const over = values.with.filter((each) => each !== Number(line));
  const lay = (next: readonly number[]) => set({ with: next }, { keep: true });
  const others = over.flatMap((each): Other[] => {
    const of = ligands.find((one) => one.line === each);
    const url = of && structureOf(of);
    return url === undefined ? [] : [{ id: String(each), name: of!.name ?? of!.id, url }];
  });
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
              <Others batch={batch} line={Number(line)} name={name} ligands={ligands} over={over} lay={lay} />
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
                <Structure {...model} name={name} others={others} drop={(id) => lay(over.filter((each) => String(each) !== id))} />
              </Card>
            </div>
          );
        }}
      </Answer>
    </Page>
  );
};

export default StructurePage;
