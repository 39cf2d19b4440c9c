import { ActionIcon, Button, Checkbox, Modal, TextInput, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconDeviceFloppy, IconLink, IconStar, IconStarFilled, IconTrash, IconUsers } from '@tabler/icons-react';
import { useState, type ReactNode, type SubmitEvent } from 'react';
import { api, bodyOf } from '../lib/api.ts';
import { useKeep } from '../lib/use-keep.ts';
import { writeQuery } from '../lib/url.ts';
import { sameQuery, settingOf, viewsQuery, type View } from '../lib/views.ts';
import { copyText } from './copy.tsx';
import type { Views } from './views.tsx';
import css from './views.module.css';

type Change = { name?: string; query?: View['query']; shared?: boolean };

/** Every change to views, each shown by asking for them again. */
const useChanges = (screen: string) => {
  const queries = useQueryClient();
  const options = {
    onSuccess: () => queries.invalidateQueries({ queryKey: viewsQuery(screen).queryKey }),
    onError: ({ message }: Error) => notifications.show({ color: 'red', title: 'The view was not saved', message }),
  };
  const create = useMutation({
    ...options,
    mutationFn: (body: { name: string; query: View['query']; shared: boolean }) =>
      bodyOf(api.POST('/v1/portal/views', { body: { screen, ...body } as never })),
  });
  const change = useMutation({
    ...options,
    mutationFn: ({ id, ...body }: Change & { id: string }) =>
      bodyOf(api.PATCH('/v1/portal/views/{id}', { params: { path: { id } }, body: body as never })),
  });
  const remove = useMutation({
    ...options,
    mutationFn: (id: string) => bodyOf(api.DELETE('/v1/portal/views/{id}', { params: { path: { id } } })),
    onError: ({ message }) => notifications.show({ color: 'red', title: 'The view was not removed', message }),
  });
  return { create, change, remove };
};

interface ToolProps {
  label: string;
  on?: boolean;
  disabled?: boolean;
  act: () => void;
  children: ReactNode;
}

const Tool = ({ label, on, disabled = false, act, children }: ToolProps) => (
  <Tooltip label={label}>
    <ActionIcon
      size={28}
      aria-label={label}
      aria-pressed={on}
      aria-disabled={disabled || undefined}
      c={on ? 'var(--accent)' : disabled ? 'var(--ink-3)' : 'var(--ink-2)'}
      onClick={disabled ? undefined : act}
    >
      {children}
    </ActionIcon>
  </Tooltip>
);

interface RowProps {
  view: View;
  views: Views;
  changes: ReturnType<typeof useChanges>;
  setStandard: (id: string | null) => void;
}

const Row = ({ view, views, changes, setStandard }: RowProps) => {
  const { id, name, mine, owner, shared, slug, query } = view;
  const [sure, setSure] = useState(false);
  const standard = views.standard === id;
  const rename = (typed: string) => {
    const next = typed.trim();
    if (next !== '' && next !== name) changes.change.mutate({ id, name: next });
  };
  const share = () => {
    const link = `${location.origin}${location.pathname}${writeQuery({ ...views.place, view: slug })}`;
    void copyText(link).then(() => notifications.show({ message: `The link to ${name} is copied`, autoClose: 2_000 }));
  };
  return (
    <li className={css.row}>
      {mine ? (
        <TextInput
          key={name}
          size="xs"
          className={css.name}
          aria-label={`Name of ${name}`}
          defaultValue={name}
          maxLength={100}
          onBlur={(event) => rename(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
        />
      ) : (
        <span className={`${css.name} cut`}>
          <bdi>{name}</bdi> <span className="quiet">of {owner}</span>
        </span>
      )}
      <span className={css.tools}>
        <Tool
          label={standard ? `${name} is opened by default` : `Open ${name} by default`}
          on={standard}
          act={() => setStandard(standard ? null : id)}
        >
          {standard ? <IconStarFilled size={15} aria-hidden /> : <IconStar size={15} aria-hidden />}
        </Tool>
        <Tool label={`Copy the link to ${name}`} act={share}>
          <IconLink size={15} aria-hidden />
        </Tool>
        {mine && (
          <>
            <Tool
              label={shared ? `${name} is shared with the tenant` : `Share ${name} with the tenant`}
              on={shared}
              act={() => changes.change.mutate({ id, shared: !shared })}
            >
              <IconUsers size={15} aria-hidden />
            </Tool>
            <Tool
              label={`Let ${name} show what is shown now`}
              disabled={sameQuery(query, views.shown)}
              act={() => changes.change.mutate({ id, query: views.shown })}
            >
              <IconDeviceFloppy size={15} aria-hidden />
            </Tool>
            {sure ? (
              <Button
                color="red"
                autoFocus
                onClick={() => {
                  changes.remove.mutate(id);
                  if (standard) setStandard(null);
                }}
                onBlur={() => setSure(false)}
              >
                Remove
              </Button>
            ) : (
              <Tool label={`Remove ${name}`} act={() => setSure(true)}>
                <IconTrash size={15} aria-hidden />
              </Tool>
            )}
          </>
        )}
      </span>
    </li>
  );
};

/** Gives what is shown a name, and changes what has one. */
const ViewsDialog = ({ close, ...views }: Views & { close: () => void }) => {
  const changes = useChanges(views.screen);
  const keep = useKeep(settingOf(views.screen));
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const [standard, setStandard] = useState(false);
  const same = views.all.find((view) => view.mine && view.name.toLowerCase() === name.trim().toLowerCase());
  const save = async () => {
    const query = views.shown;
    const { id } = same
      ? await changes.change.mutateAsync({ id: same.id, query })
      : await changes.create.mutateAsync({ name: name.trim(), query, shared });
    if (standard) keep(id);
    notifications.show({ message: `Saved as ${name.trim()}`, autoClose: 2_000 });
    close();
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    // What goes wrong has been said.
    if (name.trim() !== '') void save().catch(() => {});
  };
  return (
    <Modal opened onClose={close} title="Views" size={520}>
      <form onSubmit={submit} className={css.form}>
        <div className={css.save}>
          <TextInput
            label="Save what is shown as"
            description="Filter, sort and columns, as the address has them"
            size="xs"
            value={name}
            maxLength={100}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
            className={css.name}
          />
          <Button type="submit" disabled={name.trim() === ''} loading={changes.create.isPending || changes.change.isPending}>
            {same ? 'Replace' : 'Save'}
          </Button>
        </div>
        <div className={css.boxes}>
          <Checkbox
            size="xs"
            label="Open it by default"
            checked={standard}
            onChange={(event) => setStandard(event.currentTarget.checked)}
          />
          {!same && (
            <Checkbox
              size="xs"
              label="Share it with the tenant"
              checked={shared}
              onChange={(event) => setShared(event.currentTarget.checked)}
            />
          )}
        </div>
      </form>
      {views.all.length > 0 && (
        <ul className={css.list} aria-label="Saved views">
          {views.all.map((view) => (
            <Row key={view.id} view={view} views={views} changes={changes} setStandard={keep} />
          ))}
        </ul>
      )}
    </Modal>
  );
};

export default ViewsDialog;
