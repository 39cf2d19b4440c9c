import type { Client } from '@sluice/contract/client';
import { connect } from './connect.ts';
import { fieldsOf, terminal, type Fields, type Terminal } from './output.ts';

/** What every command gets. */
export interface Context {
  terminal: Terminal;
  /** Made at the first use: some commands need no server. */
  readonly client: Client;
  /** The server as it was given; null where it is the default. */
  address: string | null;
  /** `--json`; null without it. */
  fields: Fields | null;
  quiet: boolean;
}

export interface GlobalOptions {
  url?: string;
  json?: string | boolean;
  quiet?: boolean;
}

export const contextOf = ({ url, json, quiet = false }: GlobalOptions): Context => {
  let client: Client | undefined;
  return {
    terminal: terminal(),
    get client() {
      return (client ??= connect(url));
    },
    address: url ?? process.env['SLUICE_URL'] ?? null,
    fields: fieldsOf(json),
    quiet,
  };
};
