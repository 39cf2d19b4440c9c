import { program } from './program.ts';
import { report } from './report.ts';

/** Programs of the server, started by the same name; they read their own flags. */
const roles = new Set(['start', 'all', 'api', 'scheduler', 'worker', 'migrate']);

const isRole = ([name, next]: string[]): boolean =>
  // `sluice api` is the role; `sluice api batches` asks a route.
  name !== undefined && roles.has(name) && !(name === 'api' && next !== undefined && !next.startsWith('-'));

const args = process.argv.slice(2);
if (args[0] === 'simulate') {
  // It reads its own flags, as the roles do, and needs no server.
  const { code, output } = (await import('@sluice/server/simulate')).simulateCommand(args.slice(1));
  (code === 0 ? process.stdout : process.stderr).write(`${output.trimEnd()}\n`);
  process.exitCode = code === 0 ? 0 : 1;
} else if (isRole(args)) process.exit(await (await import('@sluice/server/main')).main(args));
else {
  // `| head` closes the pipe early; that is how it works, not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    // Without `=` the option would take the next word for its fields.
    await program().parseAsync(
      args.map((arg) => (arg === '--json' ? '--json=' : arg)),
      { from: 'user' },
    );
  } catch (error) {
    process.exitCode = report(error);
  }
}
