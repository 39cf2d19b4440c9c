import { Kbd } from '@mantine/core';
import { Spotlight, spotlight, type SpotlightActionData } from '@mantine/spotlight';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { IconSearch, IconStack2 } from '@tabler/icons-react';
import { useDeferredValue, useEffect, useState } from 'react';
import { api, bodyOf } from '../lib/api.ts';
import { lookOf } from '../ui/status.tsx';
import { icons } from './icons.tsx';
import { pages } from './pages.ts';

/** Where an id leads, before anything is asked. */
const placeOf = (text: string): string | null => {
  const pasted = /^https?:\/\/[^/]+(\/.*)$/.exec(text);
  if (pasted && text.startsWith(location.origin)) return pasted[1]!;
  const id = text.trim();
  if (/^batch_(?!req_)\w+$/.test(id)) return `/batches/${id}`;
  if (/^batch_req_\w+$/.test(id)) return `/requests/${id}`;
  if (/^op_\w+$/.test(id)) return `/bulk/${id}`;
  return null;
};

const Palette = ({ open, close }: { open: boolean; close: () => void }) => {
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const asked = useDeferredValue(query.trim());
  useEffect(() => (open ? spotlight.open() : spotlight.close()), [open]);
  const { data: recent } = useQuery({
    queryKey: ['palette', 'batches'],
    queryFn: () => bodyOf(api.GET('/v1/batches', { params: { query: { limit: 100 } } })),
    enabled: open,
    staleTime: 10_000,
  });
  const go = (to: string) => () => void navigate({ to } as never);
  const place = placeOf(asked);
  const lower = asked.toLowerCase();
  const found = (recent?.data ?? [])
    .filter(({ id, name }) => lower !== '' && `${name ?? ''} ${id}`.toLowerCase().includes(lower))
    .slice(0, 8);
  const groups: { group: string; actions: SpotlightActionData[] }[] = [
    ...(place === null
      ? []
      : [
          {
            group: 'Jump',
            actions: [{ id: 'place', label: `Open ${asked}`, onClick: go(place), leftSection: <IconSearch size={16} aria-hidden /> }],
          },
        ]),
    {
      group: 'Batches',
      actions: found.map(({ id, name, status }) => ({
        id,
        label: name ?? id,
        description: `${lookOf(status).word} · ${id}`,
        onClick: go(`/batches/${id}`),
        leftSection: <IconStack2 size={16} aria-hidden />,
      })),
    },
    {
      group: 'Pages',
      actions: pages
        .filter(({ nav, path, open: public_ }) => !public_ && (nav || !path.includes('$')))
        .filter(({ title }) => title.toLowerCase().includes(lower))
        .map(({ path, title, nav }) => {
          const Icon = icons[nav?.icon ?? 'overview']!;
          return {
            id: path,
            label: title,
            onClick: go(path),
            leftSection: <Icon size={16} aria-hidden />,
            rightSection: nav?.key ? <Kbd size="xs">g {nav.key}</Kbd> : undefined,
          };
        }),
    },
  ].filter(({ actions }) => actions.length > 0);
  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      filter={(_, actions) => actions}
      nothingFound="Nothing of that name. Ids of batches and operations open directly."
      shortcut={null}
      onSpotlightClose={close}
      searchProps={{
        leftSection: <IconSearch size={16} aria-hidden />,
        placeholder: 'Batch, id, page, pasted link',
        'aria-label': 'Search',
      }}
      scrollable
      maxHeight={420}
    />
  );
};

export default Palette;
