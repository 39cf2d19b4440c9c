import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useCrumb } from '../../lib/crumb-names.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Structure } from '../../ui/structure/structure.tsx';
import { ligandQuery, screenQuery } from './queries.ts';
import { figure, ic50 } from './words.ts';
import css from './screens.module.css';

/** The structure of one ligand of a screen, with the room of a page. */
const StructurePage = () => {
  const { batch, line } = useParams({ strict: false }) as { batch: string; line: string };
  const screen = useQuery(screenQuery(batch));
  const ligand = useQuery(ligandQuery(batch, Number(line)));
  const name = ligand.data ? (ligand.data.name ?? ligand.data.id) : `Ligand ${line}`;
  useCrumb(`/structures/${batch}/${line}`, ligand.data && name);
  const url = ligand.data?.artifacts.find((each) => each.name === 'structure.cif')?.url;
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
          <CopyAs call={{ method: 'GET', path: url ?? `/v1/batches/${batch}/requests/${line}/artifacts` }} />
        </>
      }
    >
      <Answer of={ligand} what="The ligand">
        {(found) => {
          if (found === null) return <Empty title={`There is no ligand ${line}`} />;
          if (url === undefined)
            return <Empty title="It has no structure">{found.error?.message ?? 'It has not been predicted yet.'}</Empty>;
          return (
            <Card>
              <p className={css.note}>
                P(binds) <b>{figure(found.affinity_probability_binary)}</b>, pIC50 <b>{figure(found.pic50)}</b> ({ic50(found.ic50_um)}),
                ligand ipTM <b>{figure(found.ligand_iptm)}</b>, confidence <b>{figure(found.confidence_score)}</b>
              </p>
              <Structure url={url} name={name} />
            </Card>
          );
        }}
      </Answer>
    </Page>
  );
};

export default StructurePage;
