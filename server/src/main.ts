import { parseArgs } from 'node:util';
import { ConfigError, loadConfig } from './config.ts';
import { didYouMean } from './lib/suggest.ts';
import { options } from './options.ts';
import { helpText } from './help.ts';

const roles = ['start', 'all', 'api', 'scheduler', 'worker', 'migrate'] as const;
export type Command = (typeof roles)[number];

/** Whether a word names something the server runs, as against something the command line asks of one. */
export const isCommand = (word: string | undefined): word is Command => (roles as readonly (string | undefined)[]).includes(word);

const boolean = new Set(['supervised', 'help', ...options.filter((o) => o.kind === 'flag').map((o) => o.key.replaceAll(/[._]/g, '-'))]);

/** `--name value`, `--name=value`, and `--name` alone where it is a switch. Unknown ones are the configuration's to refuse. */
const readFlags = (args: string[]): { flags: Record<string, string | boolean>; problems: string[] } => {
  const flags: Record<string, string | boolean> = {};
  const problems: string[] = [];
  const { tokens } = parseArgs({ args, strict: false, allowPositionals: true, tokens: true });
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === 'positional') problems.push(`unexpected argument ${token.value}.`);
    if (token.kind !== 'option') continue;
    const next = tokens[i + 1];
    if (token.value !== undefined) flags[token.name] = token.value;
    else if (boolean.has(token.name)) flags[token.name] = true;
    else if (next?.kind === 'positional') {
      flags[token.name] = next.value;
      i++;
    } else problems.push(`${token.rawName} needs a value.`);
  }
  return { flags, problems };
};

/** Runs a role until it ends; what it returns is the exit code. */
export const main = async ([command, ...args]: string[]): Promise<number> => {
  const { flags, problems } = readFlags(args);
  const { supervised = false, help = false, ...settings } = flags;
  if (help || command === undefined || command === 'help' || command === '--help') {
    process.stdout.write(helpText());
    return command === undefined ? 1 : 0;
  }
  if (!isCommand(command)) {
    process.stderr.write(`sluice: there is no role ${command}.${didYouMean(command, roles)}\n`);
    return 1;
  }
  const load = () => {
    if (problems.length > 0) throw new ConfigError(problems);
    return loadConfig({ flags: settings });
  };
  try {
    switch (command) {
      case 'start':
      case 'all':
        return await (await import('./roles/all.ts')).runAll(load);
      case 'migrate':
        return await (await import('./roles/migrate.ts')).runMigrate(load);
      case 'api':
      case 'scheduler':
      case 'worker': {
        const [{ runRole }, role] = await Promise.all([
          import('./roles/role.ts'),
          // Each process loads what its role needs, and no more.
          command === 'api'
            ? import('./roles/api.ts').then((m) => m.api)
            : command === 'scheduler'
              ? import('./roles/scheduler.ts').then((m) => m.scheduler)
              : import('./roles/worker.ts').then((m) => m.worker),
        ]);
        return await runRole(role, { supervised: supervised === true, load });
      }
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`sluice: ${error.message}\n`);
    return 1;
  }
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
