import { Command } from 'commander';
import type { ListOptions as BatchListOptions, RetryOptions, WatchOptions } from './commands/batch.ts';
import type { RunOptions as BulkOptions } from './commands/bulk.ts';
import type { DiscardOptions, ListOptions as DeadListOptions } from './commands/dlq.ts';
import type { ListOptions as JobListOptions, RunOptions as JobOptions } from './commands/job.ts';
import type { LoadOptions } from './commands/loadtest.ts';
import type { AliasOptions, PushOptions } from './commands/model.ts';
import type { FindOptions } from './commands/portal.ts';
import type { ListOptions as RequestListOptions } from './commands/request.ts';
import type { ResultsOptions, TopOptions } from './commands/results.ts';
import type { SetOptions } from './commands/route.ts';
import type { RunOptions } from './commands/run.ts';
import type { CreateOptions as ScreenOptions } from './commands/screen.ts';
import type { VetOptions } from './commands/vet.ts';
import { contextOf, type Context, type GlobalOptions } from './context.ts';
import { Exit, exitCodes } from './exit.ts';
import { commaList, positive, whole } from './settings.ts';

/** An action of a command: its module is loaded only when it runs, so that `--help` and the others start at once. */
const act =
  <A extends unknown[]>(work: (context: Context, ...rest: A) => Promise<void>) =>
  async (...args: unknown[]): Promise<void> => {
    const command = args.pop() as Command;
    await work(contextOf(command.optsWithGlobals<GlobalOptions>()), ...(args as A));
  };

/** What `doctor` finds on this machine, unless the server is said to be elsewhere. Loaded late: it brings the server along. */
const here = async () => {
  if (process.env['SLUICE_URL']) return [];
  const [{ checkInstallation }, { loadConfig }] = await Promise.all([import('@sluice/server/doctor'), import('@sluice/server/config')]);
  return checkInstallation(() => loadConfig());
};

const several = (value: string, before: string[] = []): string[] => [...before, value];

const withSettings = (command: Command): Command =>
  command
    .option('--window <time>', 'how long it may take: 15m, 6h, 7d')
    .option('--priority <level>', 'normal, medium, high, or a number to 100')
    .option('--name <text>', 'a name for people')
    .option('--metadata <name=value>', 'may be given several times', several)
    .option('--column <input=column>', 'of a table: smiles=SMILES, id=name, x=f1,f2; may be given several times', several)
    .option('--invalid <policy>', 'of a table: skip rows that are wrong, or refuse it')
    .option('--max-attempts <n>', 'attempts a request gets at most', whole('--max-attempts', 1));

const withModels = (command: Command): Command =>
  command
    .option('--model <name>', 'the model of lines that name none')
    .option('--models <names>', 'run each line by each of these; the lines name none', commaList)
    .option('--route <target>', 'by the models recommended for TARGET, or TARGET/SERIES');

const batches = (): Command => {
  const batch = new Command('batch').description('files of requests, and what became of them');
  const module = () => import('./commands/batch.ts');

  withModels(withSettings(batch.command('run <file>')))
    .description('submit a file, watch it, download the results; - is standard input')
    .requiredOption(
      '--out <file>',
      'where the results go: lines, or a table where it ends in .csv, .tsv, .parquet or .sdf; - is standard output',
    )
    .option('--endpoint <path>', 'where the lines go; told from the first line where it can be')
    .option('--fail-on-error', 'exit 3 where a request did not succeed')
    .option('--timeout <seconds>', 'stop watching after that; the batch goes on', whole('--timeout', 1))
    .action(act(async (context, file: string, options: RunOptions) => (await import('./commands/run.ts')).run(context, file, options)));

  withModels(withSettings(batch.command('create <file>')))
    .description('the same without waiting; an uploaded file is given by its id')
    .option('--endpoint <path>', 'where the lines go')
    .action(act(async (context, file: string, options: object) => (await module()).createFrom(context, file, options)));

  withModels(withSettings(batch.command('validate <file>')))
    .description('the whole validation and an estimate; nothing is created')
    .option('--endpoint <path>', 'where the lines go')
    .action(act(async (context, file: string, options: object) => (await module()).validate(context, file, options)));

  withModels(withSettings(batch.command('preview <file>')))
    .description('who would run it, how long and how much in each pool, what quotas leave; nothing is created')
    .option('--endpoint <path>', 'where the lines go')
    .action(act(async (context, file: string, options: object) => (await module()).preview(context, file, options)));

  batch
    .command('children <id>')
    .description('of a batch of several models: one a model, and how each has come along')
    .action(act(async (context, id: string) => (await module()).children(context, id)));

  batch
    .command('list')
    .description('the newest first')
    .option('--status <status>', 'only batches in this one')
    .option('--user <user>', 'only batches of this user')
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 20)
    .action(act(async (context, options: BatchListOptions) => (await module()).list(context, options)));

  batch
    .command('find [words...]')
    .description('as the portal’s search box: words of names, `model:x status:failed meta.key:value created:<24h error:timeout`')
    .option('--sort <field>', 'created_at, name, total, failed, deadline, duration; - before it for the other way round', '-created_at')
    .option('--limit <n>', 'how many at most, to 200', whole('--limit', 1), 50)
    .action(
      act(async (context, words: string[], options: FindOptions) => (await import('./commands/portal.ts')).find(context, words, options)),
    );

  batch
    .command('failures <id>')
    .description('why requests of it failed, and how many of each')
    .action(act(async (context, id: string) => (await import('./commands/portal.ts')).failures(context, id)));

  batch
    .command('get <id>')
    .description('one batch')
    .action(act(async (context, id: string) => (await module()).get(context, id)));

  batch
    .command('watch <id>')
    .description('progress until the end; with --json its events, one a line')
    .option('--out <file>', 'then download the results, as run does')
    .option('--fail-on-error', 'exit 3 where a request did not succeed')
    .option('--timeout <seconds>', 'stop watching after that', whole('--timeout', 1))
    .action(act(async (context, id: string, options: WatchOptions) => (await module()).watch(context, id, options)));

  batch
    .command('cancel <id>')
    .description('stop; what is in flight may finish')
    .option('--abort', 'end what is in flight too')
    .action(act(async (context, id: string, options: { abort?: boolean }) => (await module()).cancel(context, id, options)));

  withSettings(batch.command('retry <id>'))
    .description('run failed requests again, in a new batch linked to this one')
    .option('--states <states>', 'failed, dead_lettered, cancelled, expired', commaList)
    .option('--codes <codes>', 'only requests that failed with these codes', commaList)
    .option('--lines <lines>', 'only these lines', commaList)
    .action(act(async (context, id: string, options: RetryOptions) => (await module()).retry(context, id, options)));

  withSettings(batch.command('clone <id>'))
    .description('a new batch with the same settings')
    .option('--file <file>', 'another input: a path, or the id of a file')
    .action(act(async (context, id: string, options: { file?: string }) => (await module()).clone(context, id, options)));

  batch
    .command('download <id>')
    .description('the results; while it runs, those there are')
    .requiredOption('--out <file>', 'where they go, as of run; - is standard output')
    .action(act(async (context, id: string, options: { out: string }) => (await module()).downloadOf(context, id, options)));

  const results = () => import('./commands/results.ts');
  batch
    .command('results <id>')
    .description('the table of results: inputs beside outputs, a row a line')
    .option('--out <file>', 'where it goes; absent, or -: standard output')
    .option('--format <format>', 'jsonl, csv, tsv, parquet or sdf; absent: as --out ends, else csv')
    .option('--columns <names>', 'these, in this order')
    .option('--where <filter>', 'these rows: logS>-2,status=completed')
    .option('--smarts <pattern>', 'of these, rows whose molecule holds a substructure: c1ccccc1O')
    .option('--sort <names>', 'falling behind a minus: -logS,custom_id')
    .option('--limit <n>', 'rows at most', whole('--limit', 1))
    .option('--offset <n>', 'rows to leave out at the beginning', whole('--offset', 0))
    .option('--keep-formulas', 'leave text as it is that a spreadsheet would run as a formula')
    .action(act(async (context, id: string, options: ResultsOptions) => (await results()).download(context, id, options)));

  batch
    .command('summary <id>')
    .description('figures of what the models computed, and failures by their cause')
    .option('--properties <names>', 'columns of numbers')
    .option('--where <filter>', 'of these rows')
    .action(
      act(async (context, id: string, options: { where?: string; properties?: string }) => (await results()).summary(context, id, options)),
    );

  batch
    .command('top <id>')
    .description('the best rows')
    .option('--property <name>', 'by this column')
    .option('--order <order>', 'desc has the largest first, asc the least')
    .option('--objective <weights>', 'or by a weighted sum: logS:1,p_bbb:-0.5')
    .option('--diverse', 'only the best of each scaffold')
    .option('--where <filter>', 'of these rows')
    .option('--columns <names>', 'what is shown of them')
    .option('-n, --n <n>', 'how many', whole('--n', 1), 10)
    .action(act(async (context, id: string, options: TopOptions) => (await results()).top(context, id, options)));

  batch
    .command('query <id> <sql>')
    .description('a select over the table `results`')
    .option('--limit <n>', 'rows at most', whole('--limit', 1))
    .action(
      act(async (context, id: string, statement: string, options: { limit?: number }) =>
        (await results()).query(context, id, statement, options),
      ),
    );

  batch
    .command('explain <id>')
    .description('why it is where it is, and what will move it')
    .action(act(async (context, id: string) => (await module()).explain(context, id)));

  batch
    .command('repair [id]')
    .description('put right what keeps it from going on; safe to repeat')
    .option('--all-stuck', 'every batch that is stuck')
    .action(act(async (context, id: string | undefined, options: { allStuck?: boolean }) => (await module()).repair(context, id, options)));

  batch
    .command('delete <id>')
    .description('a finished batch and its files')
    .option('--yes', 'do not ask')
    .action(act(async (context, id: string, options: { yes?: boolean }) => (await module()).remove(context, id, options)));
  return batch;
};

const requests = (): Command => {
  const request = new Command('request').description('single lines of batches');
  const module = () => import('./commands/request.ts');
  request
    .command('list <batch>')
    .description('in the order of the input')
    .option('--state <state>', 'only requests in this one')
    .option('--line <n>', 'from this line on', whole('--line', 1))
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 20)
    .action(act(async (context, batch: string, options: RequestListOptions) => (await module()).list(context, batch, options)));
  request
    .command('get <id>')
    .description('its state, attempts, input and output')
    .action(act(async (context, id: string) => (await module()).get(context, id)));
  request
    .command('retry <id>')
    .description('run it again')
    .action(act(async (context, id: string) => (await module()).retry(context, id)));
  return request;
};

const screens = (): Command => {
  const screen = new Command('screen').description('a protein against ligands');
  const module = () => import('./commands/screen.ts');
  withSettings(screen.command('create'))
    .description('screen a protein against a file of ligands')
    .requiredOption('--protein <file>', 'its sequence, plain or FASTA; - is standard input')
    .requiredOption('--ligands <file>', 'SMILES with a name behind each, CSV with a column smiles, or an SD file')
    .option('--msa <file>', 'its alignment, in A3M')
    .option('--model <name>', 'boltz-2 where it is not said')
    .option('--parameters <json>', 'the model\'s, such as {"sampling_steps": 100}')
    .option('--max-concurrent <count>', 'ligands that run at once at most', whole('--max-concurrent', 1))
    .action(act(async (context, options: ScreenOptions) => (await module()).create(context, options)));
  screen
    .command('get <id>')
    .description('how far it is')
    .action(act(async (context, id: string) => (await module()).get(context, id)));
  screen
    .command('results <id>')
    .description('the best of an ended screen, and what went wrong')
    .option('--top <count>', 'of each list', whole('--top', 1), 10)
    .action(act(async (context, id: string, options: { top: number }) => (await module()).results(context, id, options)));
  screen
    .command('download <id>')
    .description('all its files, also when its batch is gone')
    .requiredOption('--out <folder>', 'where they go')
    .action(act(async (context, id: string, options: { out: string }) => (await module()).download(context, id, options)));
  return screen;
};

const jobs = (): Command => {
  const job = new Command('job').description('single requests, answered in the background');
  const module = () => import('./commands/job.ts');
  job
    .command('run')
    .description('submit one request')
    .requiredOption('--model <name>', 'name, or name@version')
    .requiredOption('--input <json>', 'the inputs of a prediction, or the body of an endpoint; @file reads a file, - standard input')
    .option('--endpoint <path>', 'where it goes; told from the input where it can be')
    .option('--priority <level>', 'normal, medium, high, or a number to 100')
    .option('--timeout <seconds>', 'end it where it runs for longer', whole('--timeout', 1))
    .option('--wait', 'until it has ended, then print the answer')
    .action(act(async (context, options: JobOptions) => (await module()).run(context, options)));
  job
    .command('list')
    .description('the newest first')
    .option('--status <status>', 'only jobs in this one')
    .option('--model <name>', 'name, or name@version')
    .option('--user <user>', 'only jobs of this user')
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 20)
    .action(act(async (context, options: JobListOptions) => (await module()).list(context, options)));
  job
    .command('get <id>')
    .description('its status, times, attempts and error')
    .action(act(async (context, id: string) => (await module()).get(context, id)));
  job
    .command('cancel <id>')
    .description('end it, also where it runs')
    .action(act(async (context, id: string) => (await module()).cancel(context, id)));
  return job;
};

const withFilter = (command: Command): Command =>
  command
    .option('--model <name>', 'name, or name@version')
    .option('--user <user>', 'of batches this user made')
    .option('--search <text>', 'in the name of a batch, or the message of a request')
    .option('--since <time>', 'from this time on: 2026-11-22T06:00Z, or seconds since the epoch')
    .option('--until <time>', 'before this time');

const withDeadFilter = (command: Command): Command =>
  withFilter(command)
    .option('--batch <id>', 'requests of this batch')
    .option('--code <code>', 'the code they ended with')
    .option('--cause <text>', 'the cause, as `dlq list --causes` names it');

const withPace = (command: Command): Command =>
  command
    .option('--exclude <ids>', 'leave these out of the filter', commaList)
    .option('--per-second <n>', 'at most so many a second', positive('--per-second'))
    .option('--window <time>', 'the window of continuations: 15m, 6h, 7d; of `deadline`: the new one')
    .option('--priority <level>', 'normal, medium, high, or a number to 100')
    .option('--again', 'also what a continuation runs again already')
    .option('--reason <text>', 'why, for those who look later')
    .option('--wait', 'until it has ended')
    .option('--dry-run', 'only say what it would do')
    .option('--yes', 'do not ask');

const deadLetters = (): Command => {
  const dlq = new Command('dlq').description('dead letters: requests that used up their attempts');
  const module = () => import('./commands/dlq.ts');
  withDeadFilter(dlq.command('list'))
    .description('those neither run again nor discarded, the newest batch first')
    .option('--status <status>', 'open, redriven, discarded, all')
    .option('--causes', 'count them by why they died')
    .option('--out <file>', 'all of them, with what was sent, one JSON object a line; - is standard output')
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 20)
    .action(act(async (context, options: DeadListOptions) => (await module()).list(context, options)));
  dlq
    .command('show <id>')
    .description('one, with its input and every attempt')
    .action(act(async (context, id: string) => (await module()).show(context, id)));
  withPace(withDeadFilter(dlq.command('redrive [ids...]')))
    .description('run them again, in a batch linked to theirs')
    .action(
      act(async (context, ids: string[], options: BulkOptions) =>
        (await import('./commands/bulk.ts')).run(context, 'redrive', ids, { ...options, on: 'requests' }),
      ),
    );
  withDeadFilter(dlq.command('discard [ids...]'))
    .description('give them up; they stay in their batch and its error file')
    .requiredOption('--reason <text>', 'why')
    .option('--exclude <ids>', 'leave these out of the filter', commaList)
    .option('--yes', 'do not ask')
    .action(act(async (context, ids: string[], options: DiscardOptions) => (await module()).discard(context, ids, options)));
  return dlq;
};

const operations = (): Command => {
  const bulk = new Command('bulk').description('one action on many batches or requests');
  const module = () => import('./commands/bulk.ts');
  for (const [name, about] of [
    ['preview', 'what it would do, and leave alone'],
    ['run', 'cancel, retry, redrive, priority or deadline; says what it will do, and asks'],
  ] as const)
    withPace(withDeadFilter(bulk.command(`${name} <action> [ids...]`)))
      .description(about)
      .option('--on <what>', 'batches, or requests')
      .option('--status <statuses>', 'batches in one of these', commaList)
      .option('--state <states>', 'requests in one of these', commaList)
      .option('--deadline <time>', 'the new deadline')
      .option('--abort', 'cancel: end what is in flight too')
      .action(
        act(async (context, action: string, ids: string[], options: BulkOptions) => (await module())[name](context, action, ids, options)),
      );
  bulk
    .command('list')
    .description('the newest first')
    .option('--status <status>', 'only operations in this one')
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 20)
    .action(act(async (context, options: { limit: number; status?: string }) => (await module()).list(context, options)));
  bulk
    .command('get <id>')
    .description('one operation and its progress')
    .option('--items', 'what it left alone, or could not do')
    .option('--limit <n>', 'how many items at most', whole('--limit', 1), 100)
    .action(act(async (context, id: string, options: { items?: boolean; limit: number }) => (await module()).get(context, id, options)));
  bulk
    .command('stop <id>')
    .description('before its next item; what it has done stays done')
    .action(act(async (context, id: string) => (await module()).stop(context, id)));
  return bulk;
};

const files = (): Command => {
  const file = new Command('file').description('what was uploaded, and what batches wrote');
  const module = () => import('./commands/file.ts');
  file
    .command('list')
    .description('the newest first')
    .option('--purpose <purpose>', 'only files of this one')
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 20)
    .action(act(async (context, options: { limit: number; purpose?: string }) => (await module()).list(context, options)));
  file
    .command('get <id>')
    .description('one file')
    .action(act(async (context, id: string) => (await module()).get(context, id)));
  file
    .command('upload <file>')
    .description('- is standard input')
    .option('--purpose <purpose>', 'what it is for', 'batch')
    .option('--name <text>', 'its name on the server')
    .action(act(async (context, path: string, options: { purpose: string }) => (await module()).send(context, path, options)));
  file
    .command('download <id>')
    .description('its content')
    .option('--out <file>', 'where it goes; - is standard output')
    .action(act(async (context, id: string, options: { out?: string }) => (await module()).fetchTo(context, id, options)));
  file
    .command('delete <id>')
    .option('--yes', 'do not ask')
    .action(act(async (context, id: string, options: { yes?: boolean }) => (await module()).remove(context, id, options)));
  return file;
};

const models = (): Command => {
  const model = new Command('model').description('models: registered, uploaded, versioned');
  const module = () => import('./commands/model.ts');
  model
    .command('push <file>')
    .description('register a version, upload its .onnx file, wait until it has been vetted; again where it was cut off')
    .requiredOption('--name <name>', 'the model')
    .option('--version <version>', 'semantic: 1.10.0', '1.0.0')
    .option('--card <file>', 'what it is and is for, in Markdown')
    .option('--tag <tag>', 'may be given several times', several)
    .option('--options <json>', 'the executor\'s own: \'{"outputs": ["y"]}\'')
    .option('--no-wait', 'do not wait for the vetting')
    .option('--timeout <seconds>', 'stop waiting after that', whole('--timeout', 1), 300)
    .action(act(async (context, file: string, options: PushOptions) => (await module()).push(context, file, options)));
  model
    .command('vet <file>')
    .description('look at an .onnx file here, as a server would after its upload; needs no server')
    .option('--memory <mb>', 'that the model may have', whole('--memory', 768), 2_048)
    .option('--timeout <seconds>', 'that one step may take', whole('--timeout', 1), 60)
    .option('--log', 'what each step did')
    .action(act(async (context, file: string, options: VetOptions) => (await import('./commands/vet.ts')).vet(context, file, options)));
  model
    .command('validate <model>')
    .description('what vetting found, step by step')
    .option('--timeout <seconds>', 'while it goes on, wait so long', whole('--timeout', 1), 300)
    .action(act(async (context, id: string, options: { timeout: number }) => (await module()).validate(context, id, options)));
  model
    .command('list')
    .description('by name: each model as its newest version, then its others that are ready')
    .option('--status <status>', 'pending, uploaded, validating, ready, failed, archived')
    .option('--tag <tag>', 'only models with this one')
    .option('--search <text>', 'in the name')
    .option('--limit <n>', 'how many at most', whole('--limit', 1), 1_000)
    .action(act(async (context, options: { limit: number }) => (await module()).list(context, options)));
  model
    .command('get <model>')
    .description('name, name@version or name@alias')
    .action(act(async (context, id: string) => (await module()).get(context, id)));
  model
    .command('versions <name>')
    .description('the newest first')
    .action(act(async (context, name: string) => (await module()).versions(context, name)));
  model
    .command('alias <name> [alias] [version]')
    .description('list them, show one, or make it mean a version')
    .option('--history', 'who moved it, when, from where to where')
    .option('--rollback', 'take its last move back; again, the one before')
    .option('--remove', 'it means nothing any more')
    .action(
      act(async (context, name: string, word: string | undefined, version: string | undefined, options: AliasOptions) =>
        (await module()).alias(context, name, word, version, options),
      ),
    );
  model
    .command('archive <model>')
    .description('take a version out of service; by a name alone, all of them')
    .option('--restore', 'put it back')
    .action(act(async (context, id: string, options: { restore?: boolean }) => (await module()).archive(context, id, options)));
  model
    .command('try <model> <inputs>')
    .description('predict one row: JSON, or @file')
    .action(act(async (context, id: string, inputs: string) => (await module()).predict(context, id, inputs)));
  return model;
};

const routes = (): Command => {
  const route = new Command('route').description('which models are recommended for a target, or TARGET/SERIES');
  const module = () => import('./commands/route.ts');
  route
    .command('list')
    .description('by target and series')
    .action(act(async (context) => (await module()).list(context)));
  route
    .command('get <route>')
    .description('its models, and what they mean now')
    .action(act(async (context, id: string) => (await module()).get(context, id)));
  route
    .command('set <route> [models...]')
    .description('make it, or have it recommend these: MODEL, or MODEL=WEIGHT')
    .option('--file <file>', 'the models as JSON, with dates: [{"model", "weight", "valid_from", "valid_until"}]')
    .option('--note <text>', 'why, for those who look later')
    .action(act(async (context, id: string, models: string[], options: SetOptions) => (await module()).set(context, id, models, options)));
  route
    .command('remove <route>')
    .description('its history stays')
    .option('--yes', 'do not ask')
    .action(act(async (context, id: string, options: { yes?: boolean }) => (await module()).remove(context, id, options)));
  route
    .command('history <route>')
    .description('who changed it, when, from what to what')
    .action(act(async (context, id: string) => (await module()).history(context, id)));
  return route;
};

const molecules = (): Command => {
  const molecule = new Command('molecule').description('what RDKit makes of SMILES');
  const module = () => import('./commands/molecule.ts');
  molecule
    .command('check <smiles...>')
    .description('which are molecules, their canonical form and InChIKey, or what is wrong')
    .action(act(async (context, smiles: string[]) => (await module()).check(context, smiles)));
  molecule
    .command('match <smiles...>')
    .description('which hold a substructure, or are like another molecule')
    .option('--smarts <pattern>', 'what they have to hold')
    .option('--like <smiles>', 'what they are compared with')
    .option('--threshold <number>', 'the least similarity, from 0 to 1', Number)
    .option('--scaffolds', 'name the scaffold of each')
    .action(
      act(async (context, smiles: string[], options: { smarts?: string; like?: string; threshold?: number; scaffolds?: boolean }) =>
        (await module()).match(context, smiles, options),
      ),
    );
  return molecule;
};

const operators = (root: Command): void => {
  root
    .command('verify')
    .description('look at a deployment from outside, as a client would; leaves nothing behind')
    .option('--timeout <seconds>', 'for a batch of a few lines to end', whole('--timeout', 1), 60)
    .action(act(async (context, options: { timeout: number }) => (await import('./commands/verify.ts')).verify(context, options)));
  root
    .command('loadtest')
    .description('calls at a rate, and how long they took; needs --url or SLUICE_URL')
    .option('--rate <n/s>', 'calls a second, whether or not earlier ones were answered; 10/s')
    .option('--concurrency <n>', 'instead: so many clients, each calling again once it has its answer', whole('--concurrency', 1))
    .option('--mix <list>', 'predict, batch, status, list, upload, each with a weight', 'predict:50,batch:10,status:40')
    .option('--duration <time>', 'to 1h', '30s')
    .option('--count <n>', 'calls at most', whole('--count', 1), 100_000)
    .option('--model <name>', 'who is asked', 'echo')
    .option('--lines <n>', 'lines of each batch', whole('--lines', 1), 10)
    .option('--timeout <seconds>', 'for one call', whole('--timeout', 1), 30)
    .option('--keep', 'leave the batches and files it made')
    .action(act(async (context, options: LoadOptions) => (await import('./commands/loadtest.ts')).loadtest(context, options)));
  root
    .command('demo')
    .description('run the example batches on a server, and follow them')
    .option('--limit <n>', 'lines of each at most', whole('--limit', 1))
    .option('--no-follow', 'do not wait for their end')
    .action(
      act(async (context, options: { limit?: number; follow: boolean }) => (await import('./commands/demo.ts')).demo(context, options)),
    );
  root
    .command('pools')
    .description('where workers run, how many there are and should be')
    .action(act(async (context) => (await import('./commands/workers.ts')).pools(context)));
  const workers = root.command('workers').description('what runs requests; `sluice worker` starts one');
  workers
    .command('list')
    .description('the newest first')
    .action(act(async (context) => (await import('./commands/workers.ts')).list(context)));
  workers
    .command('running')
    .description('what runs where now')
    .action(act(async (context) => (await import('./commands/portal.ts')).running(context)));
  workers
    .command('drain <id>')
    .description('take nothing more, finish what runs, end')
    .action(act(async (context, id: string) => (await import('./commands/workers.ts')).drain(context, id)));
};

const others = (root: Command): void => {
  root
    .command('overview')
    .description('what runs, waits and failed, how fast and how well')
    .action(act(async (context) => (await import('./commands/portal.ts')).overview(context)));
  root
    .command('attention')
    .description('what somebody should look at')
    .action(act(async (context) => (await import('./commands/portal.ts')).attention(context)));
  root
    .command('search <words...>')
    .description('whatever an id, a name, an error or a custom_id may mean')
    .option('--limit <n>', 'of each kind at most', whole('--limit', 1), 6)
    .action(
      act(async (context, words: string[], options: { limit: number }) =>
        (await import('./commands/portal.ts')).search(context, words, options),
      ),
    );
  root
    .command('keys')
    .description('your API keys, and when they were used; of an admin, the tenant’s')
    .action(act(async (context) => (await import('./commands/portal.ts')).keys(context)));
  root
    .command('analytics')
    .description('counts, durations and failures by model, user and day')
    .option('--from <seconds>', 'since the epoch', whole('--from'))
    .option('--to <seconds>', 'since the epoch', whole('--to'))
    .action(act(async (context, options: object) => (await import('./commands/analytics.ts')).analytics(context, options)));
  root
    .command('usage')
    .description('what you, your tenant and all together hold, and may')
    .action(act(async (context) => (await import('./commands/usage.ts')).usage(context)));
  root
    .command('doctor')
    .description('what is wrong with an installation, and what to do about it')
    .action(act(async (context) => (await import('./commands/doctor.ts')).doctor(context, here)));
  const config = root.command('config').description('the configuration of a server started here');
  config
    .command('print')
    .option('--redacted', 'keys and passwords are never shown; this says that you know')
    .action(act(async (context) => (await import('./commands/config.ts')).print(context)));
  const auth = root.command('auth').description('keys of servers, kept on this machine');
  const signing = () => import('./commands/auth.ts');
  auth
    .command('login')
    .description('keep a key for the server; asks for it, or reads it from standard input')
    .action(act(async (context) => (await signing()).login(context)));
  auth
    .command('status')
    .description('who the server takes you for, and where the key comes from')
    .action(act(async (context) => (await signing()).status(context)));
  auth
    .command('logout')
    .description('forget the key that was kept')
    .action(act(async (context) => (await signing()).logout(context)));
  root
    .command('open [what]')
    .description('the portal’s page of an id, a model, or `batches`, `models`, `workers` …: its address, opened on a terminal')
    .option('--print', 'only say the address')
    .action(
      act(async (context, what: string | undefined, options: { print?: boolean }) =>
        (await import('./commands/open.ts')).open(context, what, options),
      ),
    );
  root
    .command('completion <shell>')
    .description('a script for bash, zsh or fish that completes commands, options and ids')
    .action(async (shell: string) => {
      const { completion, shells } = await import('./shells.ts');
      const known = shells.find((each) => each === shell);
      if (!known) throw new Exit(exitCodes.error, `There is no completion for ${shell}.`, `There is one for ${shells.join(', ')}.`);
      process.stdout.write(completion(root, known));
    });
  root
    .command('api <path>')
    .description('any route of the server: `api batches?limit=1`, `api /health/ready`')
    .option('-X, --method <method>', 'GET, or POST where there is data')
    .option('-d, --data <json>', 'the body; @file, or @- for standard input')
    .option('-H, --header <header>', 'may be given several times', several)
    .option('-i, --include', 'the status and headers too')
    .action(act(async (context, path: string, options: object) => (await import('./commands/api.ts')).api(context, path, options)));
  for (const [role, about] of [
    ['simulate', 'what the scheduling policy would do: workloads, pools, prices, `--compare` with other rules'],
    ['start', 'run everything here: API, scheduler and workers'],
    ['api', 'without a path: run the API alone'],
    ['scheduler', 'run a scheduler alone'],
    ['worker', 'run a worker alone'],
    ['migrate', 'bring the database up to date'],
  ] as const)
    if (role !== 'api') root.command(role).description(about).helpOption(false);
};

/** The command line, as a tree of commands. */
export const program = (): Command => {
  const root = new Command('sluice')
    .description('Batch inference: a file of requests in, a file of results out.')
    .option('--url <url>', 'the server; SLUICE_URL, or http://127.0.0.1:8080')
    .option('--json [fields]', 'JSON instead of tables: all of it, or --json=id,status')
    .option('-q, --quiet', 'no progress and no remarks')
    .version('0.1.0')
    // `model push --version` is another one.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nKey: SLUICE_API_KEY, or one kept by `auth login`, or the one in the data directory of a server on this machine.\nExit codes: 0 ok, 1 error, 2 cancelled, 3 failed requests, 4 key refused, 124 timed out. More in docs/cli.md.',
    )
    .showHelpAfterError('(--help says more)')
    .exitOverride();
  for (const command of [batches(), requests(), screens(), jobs(), deadLetters(), operations(), files(), models(), routes(), molecules()])
    root.addCommand(command);
  operators(root);
  others(root);
  // Each command knows the options of the root, so that `sluice batch list --json` works as well.
  const inherit = (command: Command) => {
    for (const child of command.commands) {
      child.exitOverride().copyInheritedSettings(command);
      for (const option of root.options.filter(({ long }) => long !== '--version')) child.addOption(option);
      inherit(child);
    }
  };
  inherit(root);
  return root;
};
