import { ConfigError, describeConfig, loadConfig } from '@sluice/server/config';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { printJson } from '../output.ts';

/** The configuration that a role started here would have; keys and passwords are never shown. */
export const print = ({ terminal, fields }: Context): void => {
  try {
    printJson(terminal, describeConfig(loadConfig()), fields ?? true);
  } catch (error) {
    throw error instanceof ConfigError ? new Exit(exitCodes.error, error.message, 'docs/configuration.md lists every option.') : error;
  }
};
