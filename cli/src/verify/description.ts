type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

const at = (root: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((inner, name) => (typeof inner === 'object' && inner !== null ? (inner as Node)[name] : undefined), root);

function* refsOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* refsOf(item);
  else if (isNode(value))
    for (const [name, inner] of Object.entries(value)) {
      if (name === '$ref' && typeof inner === 'string') yield inner;
      else yield* refsOf(inner);
    }
}

/** What is wrong with an OpenAPI 3.1 description, as far as code generators would stumble over it. */
export const descriptionProblems = (given: unknown): string[] => {
  if (!isNode(given)) return ['it is not a JSON object'];
  const problems: string[] = [];
  if (!/^3\.1\.\d+$/.test(String(given['openapi']))) problems.push(`openapi is ${JSON.stringify(given['openapi'])}, not 3.1`);
  const info = given['info'];
  if (!isNode(info) || typeof info['title'] !== 'string' || typeof info['version'] !== 'string')
    problems.push('info lacks title or version');
  const paths = given['paths'];
  if (!isNode(paths) || Object.keys(paths).length === 0) return [...problems, 'there are no paths'];
  const ids = new Set<string>();
  for (const [path, item] of Object.entries(paths)) {
    if (!path.startsWith('/') || !isNode(item)) problems.push(`${path} is not a path`);
    else
      for (const [method, operation] of Object.entries(item)) {
        if (!methods.has(method)) continue;
        if (!isNode(operation) || !isNode(operation['responses']) || Object.keys(operation['responses']).length === 0)
          problems.push(`${method} ${path} has no responses`);
        else if (typeof operation['operationId'] === 'string') {
          if (ids.has(operation['operationId'])) problems.push(`two operations are called ${operation['operationId']}`);
          ids.add(operation['operationId']);
        }
      }
  }
  for (const ref of new Set(refsOf(given)))
    if (ref.startsWith('#') && at(given, ref.slice(1)) === undefined) problems.push(`${ref} leads nowhere`);
  return problems;
};

const sample = /^[a-zA-Z_:][\w:]*(\{[^{}]*\})? (NaN|[+-]?(Inf|\d[\d.]*(e[+-]?\d+)?))( \d+)?$/;

/** The names of the metrics of a page in Prometheus' text format. Throws at the first line that is not. */
export const metricNames = (page: string): Set<string> => {
  const names = new Set<string>();
  for (const [i, line] of page.split('\n').entries()) {
    if (line === '') continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type) names.add(type[1]!);
    // Values of labels may hold braces: they are taken out before the look at the line.
    else if (!line.startsWith('# ') && !sample.test(line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')))
      throw new Error(`line ${i + 1} is not a sample: ${line.slice(0, 80)}`);
  }
  return names;
};
