import { useQuery } from '@tanstack/react-query';
import { IconExternalLink } from '@tabler/icons-react';
import { api, bodyOf } from '../../lib/api.ts';
import { bytes, count } from '../../lib/format.ts';
import { session } from '../../lib/session.ts';
import { CopyAs } from '../../ui/copy-as.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Moment } from '../../ui/moment.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Answer } from '../../ui/states.tsx';
import { Preferences } from './preferences.tsx';
import { Usage } from './usage.tsx';
import css from './settings.module.css';

const You = () => {
  const who = session.current();
  if (!who) return null;
  return (
    <Card title="Signed in">
      <Facts
        of={[
          ['User', who.user],
          ['Tenant', who.tenant],
          ['Role', who.role === 'admin' ? 'admin: may see to everybody’s batches' : 'user'],
        ]}
      />
    </Card>
  );
};

const Keys = () => {
  const keys = useQuery({ queryKey: ['keys'], queryFn: () => bodyOf(api.GET('/v1/portal/keys')), staleTime: 30_000 });
  const admin = session.current()?.role === 'admin';
  return (
    <Card title={admin ? 'API keys of the tenant' : 'Your API keys'} flush>
      <Answer of={keys} what="The list of keys">
        {({ data }) => (
          <div className={css.wide} tabIndex={0} role="region" aria-label="API keys">
            <table className={css.table}>
              <thead>
                <tr>
                  <th>Begins with</th>
                  <th>User</th>
                  <th>Role</th>
                  <th>Last used</th>
                </tr>
              </thead>
              <tbody>
                {data.map(({ id, prefix, user, role, last_used_at: at, current }) => (
                  <tr key={id}>
                    <td>
                      <span className="mono">{prefix}…</span>
                      {current && <span className="quiet"> this session</span>}
                    </td>
                    <td>{user}</td>
                    <td>{role}</td>
                    <td>{at === null ? <span className="quiet">never</span> : <Moment at={at} />}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
      <p className="quiet" style={{ margin: 0, padding: '8px 14px 12px' }}>
        Keys are made and taken back in <span className="mono">sluice.yaml</span>.
      </p>
    </Card>
  );
};

const Server = () => {
  const who = session.current();
  if (!who) return null;
  const { server, config, limits } = who;
  return (
    <Card
      title="Server"
      actions={
        config.grafana_url !== null && (
          <a className="link" href={config.grafana_url} target="_blank" rel="noreferrer">
            Grafana <IconExternalLink size={13} aria-hidden />
          </a>
        )
      }
    >
      <Facts
        of={[
          ['Version', `${server.name} ${server.version}`],
          ['Lines of a batch', `${count(limits.max_lines)} at most`],
          ['A file', `${bytes(limits.max_file_bytes)} at most`],
          ['A line', `${bytes(limits.max_line_bytes)} at most`],
          ['A model', `${bytes(limits.max_model_bytes)} at most`],
          ['Pools', config.pools.map(({ name, preemptible }) => (preemptible ? `${name} (spot)` : name)).join(', ') || 'none'],
        ]}
      />
    </Card>
  );
};

const Routes = () => {
  const routes = useQuery({ queryKey: ['routes'], queryFn: () => bodyOf(api.GET('/v1/routes')), staleTime: 30_000 });
  return (
    <Card title="Models recommended for targets" flush>
      <Answer of={routes} what="The routes">
        {({ data }) =>
          data.length === 0 ? (
            <p className="quiet" style={{ margin: 0, padding: '12px 14px' }}>
              No target has a route. One is made with <span className="mono">sluice route set</span>.
            </p>
          ) : (
            <div className={css.wide} tabIndex={0} role="region" aria-label="Routes">
              <table className={css.table}>
                <thead>
                  <tr>
                    <th>Target</th>
                    <th>Series</th>
                    <th>Models</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map(({ target, series, models }) => (
                    <tr key={`${target} ${series ?? ''}`}>
                      <td>{target}</td>
                      <td>{series ?? <span className="quiet">every</span>}</td>
                      <td>
                        {models.map(({ model, weight, resolved, valid }) => (
                          <div key={model} className={valid ? undefined : 'quiet'}>
                            <span className="mono">{model}</span>
                            {weight !== 1 && ` × ${weight}`}
                            {!valid && ' (not now)'}
                            {valid && resolved === null && ' (none is ready)'}
                          </div>
                        ))}
                        {models.length === 0 && <span className="quiet">none</span>}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
    </Card>
  );
};

/** Who one is, what one may use and how much of it is used, and how pages look. */
const Settings = () => (
  <Page title="Settings" actions={<CopyAs call={{ method: 'GET', path: '/v1/usage', sluice: ['usage'] }} />}>
    <div className={css.columns}>
      <You />
      <Preferences />
    </div>
    <div className={css.columns}>
      <Usage />
      <Keys />
    </div>
    <div className={css.columns}>
      <Server />
      <Routes />
    </div>
  </Page>
);

export default Settings;
