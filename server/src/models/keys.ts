import { sql, type Statement } from '../db/sql.ts';

/**
 * How chunks, segments and rates name a version: `name@version` where the configuration declares it,
 * `tenant:name@version` where it is a tenant's own. Neither tenants nor models have a `:` in their names. Clients see
 * the part behind it: they know one tenant only, their own.
 */
export const modelKey = ({ tenant, name, version }: { tenant?: string; name: string; version: string }): string =>
  `${tenant === undefined ? '' : `${tenant}:`}${name}@${version}`;

/** `name@version` of a key, as clients know it. */
export const shownKey = (key: string): string => key.slice(key.indexOf(':') + 1);

/** Whether a client of `tenant` may know of the version: it is declared, or the tenant's own. */
export const isVisible = (key: string, tenant: string): boolean => {
  const colon = key.indexOf(':');
  return colon < 0 || key.slice(0, colon) === tenant;
};

/** `shownKey` of a column. */
export const shownColumn = (column: Statement): Statement => sql`substr(${column}, strpos(${column}, ':') + 1)`;

/** Whether a column's version is of the model that a client's filter names: `name`, or `name@version`. */
export const ofModel = (column: Statement, reference: string): Statement =>
  sql`(${shownColumn(column)} = ${reference} or starts_with(${shownColumn(column)}, ${`${reference}@`}))`;
