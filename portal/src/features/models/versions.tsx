import { Button, Menu, Modal, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconDots } from '@tabler/icons-react';
import { useState } from 'react';
import { api, bodyOf } from '../../lib/api.ts';
import { absolute, bytes, none } from '../../lib/format.ts';
import { Moment } from '../../ui/moment.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { aliasesQuery, versionQuery, versionsQuery, type Alias, type Details, type Model } from './queries.ts';
import css from './models.module.css';

const said = (title: string) => (error: Error) => notifications.show({ color: 'red', title, message: error.message });

/** Moves an alias: what batches have resolved already stays where it is. */
const AliasDialog = ({ model, versions, alias, close }: { model: string; versions: Model[]; alias: Alias | null; close: () => void }) => {
  const queries = useQueryClient();
  const [name, setName] = useState(alias?.alias ?? '');
  const [version, setVersion] = useState<string | null>(null);
  const move = useMutation({
    mutationFn: () =>
      bodyOf(api.PUT('/v1/models/{model}/aliases/{alias}', { params: { path: { model, alias: name } }, body: { version: version! } })),
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: ['model', model] });
    },
    onError: said('The alias was not moved'),
  });
  return (
    <Modal opened onClose={close} title={alias === null ? 'New alias' : `Move @${alias.alias}`}>
      <div style={{ display: 'grid', gap: 10 }}>
        <TextInput
          label="Alias"
          description="Such as champion or candidate."
          required
          readOnly={alias !== null}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <Select
          label="Version"
          required
          data={versions.filter(({ status }) => status === 'ready').map((each) => each.version)}
          value={version}
          onChange={setVersion}
        />
        <p className="quiet" style={{ margin: 0 }}>
          Requests that name the alias go to this version from now on. Batches and jobs that were taken in stay with the version they
          resolved.
        </p>
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={close}>
            Close
          </Button>
          <Button
            disabled={name === '' || version === null || version === alias?.version}
            loading={move.isPending}
            onClick={() => move.mutate()}
          >
            {alias === null ? 'Set' : 'Move'}
          </Button>
        </div>
      </div>
    </Modal>
  );
};

const HistoryDialog = ({ model, alias, close }: { model: string; alias: string; close: () => void }) => {
  const queries = useQueryClient();
  const params = { params: { path: { model, alias } } };
  const history = useQuery({
    queryKey: ['model', model, 'alias', alias],
    queryFn: () => bodyOf(api.GET('/v1/models/{model}/aliases/{alias}/history', params)),
  });
  const rollback = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/models/{model}/aliases/{alias}/rollback', params)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['model', model] }),
    onError: said('The move was not taken back'),
  });
  return (
    <Modal opened onClose={close} title={`Moves of @${alias}`}>
      <Answer of={history} what="The history">
        {({ data }) => (
          <ol className={css.moves}>
            {data.map(({ from, to, by, at, rollback: back, rolled_back: undone }) => (
              <li key={`${at} ${from} ${to}`}>
                <span className="mono">{from ?? none}</span> → <span className="mono">{to ?? none}</span> by {by}, {absolute(at)}
                {back && <span className="quiet"> (a move taken back)</span>}
                {undone && <span className="quiet"> (taken back since)</span>}
              </li>
            ))}
          </ol>
        )}
      </Answer>
      <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end', marginTop: 12 }}>
        <Button variant="default" onClick={close}>
          Close
        </Button>
        <Button loading={rollback.isPending} onClick={() => rollback.mutate()}>
          Take the last move back
        </Button>
      </div>
    </Modal>
  );
};

/** Two versions side by side: what they take and give, and what was measured of them. */
const Compare = ({ model, left, right }: { model: string; left: string; right: string }) => {
  const [a, b] = [useQuery(versionQuery(model, left)), useQuery(versionQuery(model, right))];
  if (!a.data || !b.data) return null;
  const ports = (of: Details['inputs']) =>
    (of ?? []).map(({ name, type, shape }) => `${name}: ${type}[${shape.join(', ')}]`).join('\n') || none;
  const rows: [string, (of: Details) => string][] = [
    ['Status', ({ status }) => status],
    ['Inputs', ({ inputs }) => ports(inputs)],
    ['Outputs', ({ outputs }) => ports(outputs)],
    ['Size', ({ file }) => (file ? bytes(file.bytes) : none)],
    ['SHA-256', ({ file }) => file?.sha256.slice(0, 16) ?? none],
    ['Options', ({ options }) => JSON.stringify(options, null, 1)],
    ['Tags', ({ tags }) => tags.join(', ') || none],
  ];
  return (
    <Card title={`${left} and ${right}`}>
      <table className={css.compare}>
        <thead>
          <tr>
            <th scope="col">
              <span className="hidden">What</span>
            </th>
            <th scope="col">{left}</th>
            <th scope="col">{right}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, of]) => {
            const [x, y] = [of(a.data), of(b.data)];
            return (
              <tr key={name} data-differs={x !== y || undefined}>
                <th scope="row">
                  {name}
                  {x !== y && <span className="hidden"> (differs)</span>}
                </th>
                <td>{x}</td>
                <td>{y}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
};

const Acts = ({ model, version }: { model: string; version: Model }) => {
  const queries = useQueryClient();
  const path = { params: { path: { model, version: version.version } } };
  const again = { onSuccess: () => queries.invalidateQueries({ queryKey: ['model', model] }) };
  const archive = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/models/{model}/versions/{version}/archive', path)),
    ...again,
    onError: said('It was not archived'),
  });
  const restore = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/models/{model}/versions/{version}/restore', path)),
    ...again,
    onError: said('It was not put back'),
  });
  const remove = useMutation({
    mutationFn: () => bodyOf(api.DELETE('/v1/models/{model}/versions/{version}', path)),
    ...again,
    onError: said('It was not deleted'),
  });
  if (version.declared) return null;
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" px={7} aria-label={`Actions for ${version.version}`}>
          <IconDots size={14} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {version.status === 'archived' ? (
          <Menu.Item onClick={() => restore.mutate()}>Put back</Menu.Item>
        ) : (
          <Menu.Item onClick={() => archive.mutate()}>Archive: nothing new, finish what was accepted</Menu.Item>
        )}
        <Menu.Item onClick={() => remove.mutate()}>Delete</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
};

/** The versions of a model and the names that move between them. */
export const Versions = ({ model, declared }: { model: string; declared: boolean }) => {
  const versions = useQuery(versionsQuery(model));
  const aliases = useQuery(aliasesQuery(model));
  const [moving, setMoving] = useState<Alias | 'new' | null>(null);
  const [history, setHistory] = useState<string | null>(null);
  const [compared, setCompared] = useState<readonly string[]>([]);
  const pick = (version: string) =>
    setCompared(compared.includes(version) ? compared.filter((each) => each !== version) : [...compared, version].slice(-2));
  return (
    <>
      <Card
        title="Aliases"
        actions={
          !declared && (
            <Button variant="default" onClick={() => setMoving('new')}>
              New alias
            </Button>
          )
        }
      >
        <Answer of={aliases} what="The aliases">
          {({ data }) =>
            data.length === 0 ? (
              <p className="quiet" style={{ margin: 0 }}>
                None. An alias such as champion lets requests follow a version that you move.
              </p>
            ) : (
              <ul className={css.aliases}>
                {data.map((alias) => (
                  <li key={alias.alias}>
                    <b>@{alias.alias}</b> <span className="mono">{alias.version ?? none}</span>
                    <span className="quiet">
                      moved by {alias.moved_by} <Moment at={alias.moved_at} />
                    </span>
                    <span style={{ flex: 1 }} />
                    <Button variant="default" onClick={() => setHistory(alias.alias)}>
                      History
                    </Button>
                    <Button variant="default" onClick={() => setMoving(alias)}>
                      Move
                    </Button>
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
      </Card>
      <Card title="Versions" actions={<span className="quiet">Choose two to compare them</span>} flush>
        <Answer of={versions} what="The versions">
          {({ data }) => (
            <>
              <ul className={css.versions}>
                {data.map((each) => (
                  <li key={each.version}>
                    <input
                      type="checkbox"
                      aria-label={`Compare ${each.version}`}
                      checked={compared.includes(each.version)}
                      onChange={() => pick(each.version)}
                    />
                    <Link to="/models/$name" params={{ name: model }} search={{ version: each.version }} className="mono link">
                      {each.version}
                    </Link>
                    <Status of={each.status} />
                    <span className="quiet cut">{each.reason ?? each.aliases.map((alias) => `@${alias}`).join(' ')}</span>
                    <span className="num quiet">{each.file ? bytes(each.file.bytes) : ''}</span>
                    <span className="quiet">{each.created > 0 && <Moment at={each.created} />}</span>
                    <Acts model={model} version={each} />
                  </li>
                ))}
              </ul>
              {moving !== null && (
                <AliasDialog model={model} versions={data} alias={moving === 'new' ? null : moving} close={() => setMoving(null)} />
              )}
            </>
          )}
        </Answer>
      </Card>
      {compared.length === 2 && <Compare model={model} left={compared[0]!} right={compared[1]!} />}
      {history !== null && <HistoryDialog model={model} alias={history} close={() => setHistory(null)} />}
    </>
  );
};
