import { Kbd } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { createSpotlight, Spotlight, type SpotlightActionData } from '@mantine/spotlight';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { IconBox, IconFiles, IconListDetails, IconPlayerPlay, IconSearch, IconStack2 } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { api, bodyOf, type Api } from '../lib/api.ts';
import { shortId } from '../lib/format.ts';
import { lookOf } from '../ui/status.tsx';
import { icons } from './icons.tsx';
import { pages } from './pages.ts';
import { placeOf } from './places.ts';

type Found = Api<'PortalSearch'>['data'][number];

const kinds = {
  request: { group: 'Requests', icon: IconListDetails },
  batch: { group: 'Batches', icon: IconStack2 },
  model: { group: 'Models', icon: IconBox },
  job: { group: 'Jobs', icon: IconPlayerPlay },
  file: { group: 'Files', icon: IconFiles },
} as const;

const placeOfFound = ({ kind, id, batch_id: batch, line }: Found): string => {
  if (kind === 'request') return `/batches/${batch}?tab=requests&line=${line}`;
  if (kind === 'file') return `/files?id=${id}`;
  return `/${{ batch: 'batches', model: 'models', job: 'jobs' }[kind]}/${encodeURIComponent(id)}`;
};

const describe = ({ kind, id, title, detail, status }: Found): string =>
  [status && lookOf(status).word, detail, kind !== 'request' && kind !== 'model' && title !== id && shortId(id)]
    .filter(Boolean)
    .join(' · ');

const pause = 150;

const [store, spotlight] = createSpotlight();

/** Whatever a text may name, wherever it is, without a mouse. */
const Palette = ({ open, close }: { open: boolean; close: () => void }) => {
  const router = useRouter();
  const [query, setQuery] = useState('');
  const typed = query.trim();
  // What is typed on is not asked for.
  const [asked] = useDebouncedValue(typed, pause);
  useEffect(() => (open ? spotlight.open() : spotlight.close()), [open]);
  const search = useQuery({
    queryKey: ['palette', asked],
    queryFn: ({ signal }) => bodyOf(api.GET('/v1/portal/search', { params: { query: { q: asked.slice(0, 500) } }, signal })),
    enabled: open && asked !== '',
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  const lower = typed.toLowerCase();
  const found = asked === '' || typed === '' ? [] : (search.data?.data ?? []);
  // What was found for other words stays only where these name it too: Enter must not open what nobody means any more.
  const old = typed !== asked || search.isPlaceholderData;
  const meant = old ? found.filter(({ title, id }) => title.toLowerCase().includes(lower) || id.includes(lower)) : found;
  // What was chosen stays so when more comes above it; where nothing was, Enter opens the first.
  useEffect(() => {
    const all = [...document.querySelectorAll('[role=dialog] [data-action]')];
    if (all.length === 0) return;
    const selected = Math.max(
      0,
      all.findIndex((each) => each.hasAttribute('data-selected')),
    );
    all[selected]!.setAttribute('data-selected', 'true');
    store.updateState((state) => ({ ...state, selected }));
  }, [search.data]);

  const go = (to: string) => () => void router.history.push(to);
  const place = placeOf(typed, location.origin);
  const groups: { group: string; actions: SpotlightActionData[] }[] = [
    {
      group: 'Jump',
      actions:
        place === null
          ? []
          : [{ id: 'place', label: `Open ${typed}`, onClick: go(place), leftSection: <IconSearch size={16} aria-hidden /> }],
    },
    ...(Object.keys(kinds) as Found['kind'][]).map((kind) => {
      const { group, icon: Icon } = kinds[kind];
      return {
        group,
        actions: meant
          .filter((each) => each.kind === kind && placeOfFound(each) !== place)
          .map((each) => ({
            id: `${kind} ${each.id}`,
            label: each.title,
            description: describe(each),
            onClick: go(placeOfFound(each)),
            leftSection: <Icon size={16} aria-hidden />,
          })),
      };
    }),
    {
      group: 'Pages',
      actions: pages
        .filter(({ path, open: public_ }) => !public_ && !path.includes('$'))
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
  const waiting = typed !== asked || search.isFetching;
  return (
    <Spotlight
      store={store}
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      filter={(_, actions) => actions}
      nothingFound={
        waiting
          ? 'Searching…'
          : search.error
            ? `It could not be searched: ${search.error.message}`
            : `Nothing of that name. Searched: ${search.data?.searched ?? 'pages'}.`
      }
      shortcut={null}
      onSpotlightClose={close}
      searchProps={{
        leftSection: <IconSearch size={16} aria-hidden />,
        placeholder: 'Batch, request, model, file, job, page, id, pasted link',
        'aria-label': 'Search',
      }}
      // Of what is chosen it would be too faint to read.
      styles={{ actionDescription: { opacity: 1 } }}
      scrollable
      maxHeight={420}
    />
  );
};

export default Palette;
