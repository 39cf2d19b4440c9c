import type { Config } from '../config.ts';
import { makeDataDir } from '../db/cluster.ts';
import { addressOf, startEmbedded } from '../db/embedded.ts';
import { whenReachable } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { messageOf } from '../lib/errors.ts';
import { holderOf, lockDataDir } from '../lib/lock.ts';
import { createLogger } from '../lib/log.ts';
import { waiting } from './setup.ts';

/** Brings the database up to date and ends: before a new version's processes start. */
export const runMigrate = async (load: () => Config): Promise<number> => {
  const config = load();
  const log = createLogger({ ...config.log, base: { role: 'migrate' } });
  try {
    await using open = new AsyncDisposableStack();
    let url = config.databaseUrl;
    if (!url && (await holderOf(config.dataDir))) url = await addressOf(config.dataDir);
    if (!url) {
      open.use(await lockDataDir(await makeDataDir(config.dataDir)));
      url = open.use(await startEmbedded({ dataDir: config.dataDir, log })).url;
    }
    const done = await whenReachable(() => migrate(url), { onWait: waiting(log) });
    log.info({ migrations: done }, done.length > 0 ? `ran ${done.join(', ')}` : 'the database is up to date already');
    return 0;
  } catch (error) {
    log.fatal(messageOf(error));
    return 1;
  }
};
