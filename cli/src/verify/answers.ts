import { must, Warning, type Check, type Reply } from './check.ts';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** OpenAI's envelope with this status and code; clients read nothing else of a refusal. */
const refused = ({ status, json, text }: Reply, wanted: number, code: string): string => {
  must(status === wanted, `${status} instead of ${wanted}: ${text.slice(0, 120)}`);
  const error = isObject(json) && isObject(json['error']) ? json['error'] : null;
  must(error, 'the reply is not in the envelope of errors');
  for (const field of ['message', 'type', 'param', 'code']) must(field in error, `the envelope has no '${field}'`);
  must(error['code'] === code, `the code is '${String(error['code'])}' instead of '${code}'`);
  return `${status} ${code}`;
};

/** Slower than this at the 95th percentile is worth a look; four times that is not fit for use. */
const slowMs = 250;
const simpleCalls = 20;

/** Seconds between the clocks from which deadlines mean different things here and there. */
const skewed = 5;
const apart = 60;

const proxied = 'A proxy in front may answer by itself or change replies: let it pass everything as it comes.';

/** How the server answers: its keys, headers, refusals, limits and speed. */
export const answerChecks: Check[] = [
  {
    name: 'server reached',
    hint: 'See that it runs, and that --url is its address.',
    gate: true,
    async run({ ask, client }) {
      const { status, text } = await ask('GET', '/health/live', { key: null });
      must(status === 200, `${client.url}/health/live answered ${status}: ${text.slice(0, 120)}`);
      return client.url;
    },
  },
  {
    name: 'health ready',
    hint: 'The log of the API says why the part named cannot be reached.',
    async run({ ask }) {
      const { status, json } = await ask('GET', '/health/ready', { key: null });
      const checks = isObject(json) && isObject(json['checks']) ? Object.entries(json['checks']) : [];
      const said = checks.map(([name, state]) => {
        const { status: how, ms, message } = state as { status?: string; ms?: number; message?: string };
        return `${name} ${how === 'ok' ? `${ms} ms` : `${how}: ${message}`}`;
      });
      must(status === 200, `${status}: ${said.join(', ')}`);
      must(checks.length > 0, 'it names no dependency');
      const broken = checks.some(([, state]) => (state as { status?: string }).status !== 'ok');
      return broken ? new Warning(said.join(', ')) : said.join(', ');
    },
  },
  {
    name: 'key accepted',
    hint: 'Set SLUICE_API_KEY to a key of this server.',
    gate: true,
    async run({ ask }) {
      const { status, text } = await ask('GET', '/v1/models');
      must(status === 200, `${status}: ${text.slice(0, 160)}`);
      return '200';
    },
  },
  {
    name: 'wrong key refused',
    hint: 'Anybody could use this server: see that the API checks keys, and that no proxy adds one.',
    run: async ({ ask }) => refused(await ask('GET', '/v1/batches', { key: 'sk-not-a-key-of-this-server' }), 401, 'invalid_api_key'),
  },
  {
    name: 'no key refused',
    hint: 'Anybody could use this server: see that the API checks keys, and that no proxy adds one.',
    run: async ({ ask }) => refused(await ask('GET', '/v1/batches', { key: null }), 401, 'invalid_api_key'),
  },
  {
    name: 'x-request-id',
    hint: proxied,
    async run({ ask }) {
      const ids = [await ask('GET', '/v1/models'), await ask('GET', '/v1/nothing-here')].map(({ headers }) => headers.get('x-request-id'));
      must(
        ids.every((id) => id !== null),
        'a reply has no x-request-id',
      );
      must(ids[0] !== ids[1], 'two replies have the same x-request-id');
      return ids[0]!;
    },
  },
  {
    name: 'openai-version',
    hint: proxied,
    async run({ ask }) {
      const version = (await ask('GET', '/v1/models')).headers.get('openai-version');
      must(version, 'the header is not there');
      return version;
    },
  },
  {
    name: 'unknown route is 404',
    hint: proxied,
    run: async ({ ask }) => refused(await ask('GET', '/v1/nothing-here'), 404, 'not_found'),
  },
  {
    name: 'unknown object is 404',
    hint: proxied,
    run: async ({ ask }) => refused(await ask('GET', '/v1/batches/batch_nothing'), 404, 'not_found'),
  },
  {
    name: 'wrong method is 405',
    hint: proxied,
    async run({ ask }) {
      const reply = await ask('DELETE', '/v1/models');
      const said = refused(reply, 405, 'method_not_allowed');
      const allow = reply.headers.get('allow');
      must(allow, 'it does not say which methods are allowed');
      return `${said}, allow: ${allow}`;
    },
  },
  {
    name: 'unknown field is 400',
    hint: proxied,
    run: async ({ ask }) =>
      refused(
        await ask('POST', '/v1/batches', { body: { input_file_id: 'x', endpoint: '/v1/predict', completion_window: '24h', nmae: 'x' } }),
        400,
        'unknown_parameter',
      ),
  },
  {
    name: 'broken JSON is 400',
    hint: proxied,
    async run({ ask }) {
      const { status, json } = await ask('POST', '/v1/batches', { body: '{"input_file_id":' });
      must(status === 400, `${status} instead of 400`);
      must(isObject(json) && 'error' in json, 'the reply is not in the envelope of errors');
      return '400';
    },
  },
  {
    name: 'limits hold',
    hint: 'The server takes what it should refuse: see that this is the version you meant to run.',
    async run({ ask }) {
      const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v']));
      const given = { input_file_id: 'x', endpoint: '/v1/predict', completion_window: '24h' };
      const asked = [
        await ask('GET', '/v1/files?limit=100000'),
        await ask('POST', '/v1/batches', { body: { ...given, metadata } }),
        await ask('POST', '/v1/batches', { body: { ...given, completion_window: 'soon' } }),
        await ask('POST', '/v1/batches', { body: { ...given, priority: 101 } }),
      ];
      const taken = asked.filter(({ status }) => status !== 400);
      must(taken.length === 0, `of 4 values out of range, ${taken.length} were not refused`);
      return '4 values out of range refused';
    },
  },
  {
    name: 'latency',
    hint: "See the load of the API's machine and of the database, and how far away they are.",
    async run({ ask }) {
      const took: number[] = [];
      for (let i = 0; i < simpleCalls; i++) took.push((await ask('GET', '/v1/batches?limit=1')).ms);
      took.sort((a, b) => a - b);
      const [p50, p95] = [took[simpleCalls / 2]!, took[Math.ceil(simpleCalls * 0.95) - 1]!];
      const said = `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms over ${simpleCalls} calls`;
      must(p95 <= slowMs * 4, said);
      return p95 > slowMs ? new Warning(said) : said;
    },
  },
  {
    name: 'clock',
    hint: 'Set the clock of this machine or of the server; deadlines are by the clock of the database.',
    async run({ ask }) {
      const { headers, ms } = await ask('GET', '/v1/models');
      const date = Date.parse(headers.get('date') ?? '');
      must(!Number.isNaN(date), 'the reply has no Date');
      // Date has whole seconds, cut off; and the reply took its way.
      const skew = Math.max(0, Math.abs(date + 500 - (Date.now() - ms / 2)) / 1000 - 0.5);
      const said = `${skew.toFixed(1)} s apart`;
      must(skew < apart, said);
      return skew > skewed ? new Warning(said) : said;
    },
  },
];
