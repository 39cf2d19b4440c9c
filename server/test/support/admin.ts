import pg from 'pg';

/** One statement about databases themselves, over a connection of its own. */
export const runAsAdmin = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};
