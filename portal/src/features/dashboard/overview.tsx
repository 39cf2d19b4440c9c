import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Button, Menu } from '@mantine/core';
import { IconAdjustmentsHorizontal, IconArrowDown, IconArrowUp, IconCheck } from '@tabler/icons-react';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import { address, param } from '../../lib/url.ts';
import { useAddress } from '../../lib/use-address.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Page } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Segments } from '../../ui/tabs.tsx';
import { useAtMost, useLive } from '../../ui/use-live.ts';
import { Attention } from './attention.tsx';
import { FirstRun } from './first-run.tsx';
import { Health } from './health.tsx';
import { Models, Pace, Pools } from './panels.tsx';
import { Recent } from './recent.tsx';
import { useLayout } from './layout.ts';
import { tiles, type TileId } from './tiles.tsx';
import css from './dashboard.module.css';

export type Overview = Api<'PortalOverview'>;

const ranges = ['1h', '6h', '24h', '7d'] as const;
const codec = address<{ range: (typeof ranges)[number] }>({ range: param.choice(ranges, '6h') });

/** How often what nobody tells of is asked for again. */
const every = 10_000;
/** Of events, one in so long asks at once: a running batch tells of itself twice a second. */
const quiet = 3_000;

const Choose = ({ shown, toggle, move }: ReturnType<typeof useLayout>) => (
  <Menu closeOnItemClick={false} width={280}>
    <Menu.Target>
      <Button variant="default" leftSection={<IconAdjustmentsHorizontal size={14} aria-hidden />}>
        Tiles
      </Button>
    </Menu.Target>
    <Menu.Dropdown>
      {[...shown, ...(Object.keys(tiles) as TileId[]).filter((id) => !shown.includes(id))].map((id) => {
        const on = shown.includes(id);
        return (
          <div key={id} className={css.choice}>
            <Menu.Item leftSection={on ? <IconCheck size={14} aria-hidden /> : <span style={{ width: 14 }} />} onClick={() => toggle(id)}>
              {tiles[id].title}
              <span className="hidden">{on ? ', shown' : ', hidden'}</span>
            </Menu.Item>
            {on && (
              <>
                <Menu.Item className={css.step} aria-label={`Move ${tiles[id].title} forward`} onClick={() => move(id, -1)}>
                  <IconArrowUp size={13} aria-hidden />
                </Menu.Item>
                <Menu.Item className={css.step} aria-label={`Move ${tiles[id].title} back`} onClick={() => move(id, 1)}>
                  <IconArrowDown size={13} aria-hidden />
                </Menu.Item>
              </>
            )}
          </div>
        );
      })}
    </Menu.Dropdown>
  </Menu>
);

/** Whether anything is wrong, what is running, and how quickly. */
const Dashboard = () => {
  const { values, set } = useAddress(codec);
  const navigate = useNavigate();
  const layout = useLayout();
  const overview = useQuery({
    queryKey: ['overview', values.range],
    queryFn: () => bodyOf(api.GET('/v1/portal/overview', { params: { query: { range: values.range } } })),
    refetchInterval: every,
    placeholderData: keepPreviousData,
  });
  useLive(useAtMost(quiet, () => void overview.refetch()));
  return (
    <Page
      title="Overview"
      actions={
        <>
          <Segments
            label="Range"
            on={values.range}
            choose={(range) => set({ range: range as (typeof ranges)[number] })}
            segments={ranges.map((id) => ({ id, label: id }))}
          />
          <Choose {...layout} />
          <CopyAs call={{ method: 'GET', path: `/v1/portal/overview?range=${values.range}` }} />
        </>
      }
    >
      <FirstRun started={(id) => void navigate({ to: `/batches/${id}` })} />
      <Answer of={overview} what="The overview" waiting={<div style={{ height: 96 }} role="status" aria-label="Loading" />}>
        {(now) => (
          <>
            <ul className={css.tiles} aria-label="Figures">
              {layout.shown.map((id) => {
                const { title, to, search, show } = tiles[id];
                return (
                  <li key={id}>
                    <Link to={to} search={search} className={css.tile}>
                      <span className={css.name}>{title}</span>
                      {show(now)}
                    </Link>
                  </li>
                );
              })}
            </ul>
            <div className={css.columns}>
              <div className={css.main}>
                <Pace of={now} />
                <Recent />
              </div>
              <div className={css.side}>
                <Attention />
                <Health of={now} />
                <Pools of={now} />
                <Models of={now} />
              </div>
            </div>
          </>
        )}
      </Answer>
    </Page>
  );
};

export default Dashboard;
