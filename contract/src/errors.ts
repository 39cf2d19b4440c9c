/**
 * The error registry: every code a client can be given, with its HTTP status, what it means and what to do.
 * `docs/errors.md` is written from this table, and a test compares the two.
 *
 * `status` 0 marks a code that appears inside an object (a batch's `errors`, a line of the error file) and never as
 * a reply of its own.
 */
export interface ErrorEntry {
  status: number;
  /** OpenAI's `type`: what class of trouble this is. */
  type: 'invalid_request_error' | 'authentication_error' | 'not_found_error' | 'rate_limit_error' | 'server_error';
  means: string;
  todo: string;
}

const entry = (status: number, means: string, todo: string, type: ErrorEntry['type'] = 'invalid_request_error'): ErrorEntry => ({
  status,
  type,
  means,
  todo,
});

export const errors = {
  // Replies
  invalid_request: entry(
    400,
    'The request, or a line of the file, does not make sense as it stands.',
    'Read the message; it names the field and what was expected.',
  ),
  invalid_value: entry(400, 'A field holds a value that is not allowed.', 'Use one of the values the message lists.'),
  invalid_type: entry(400, 'A field holds a value of the wrong JSON type.', 'Send the type the message names.'),
  unknown_parameter: entry(400, 'The body has a field that this route does not know.', 'Remove the field, or correct its spelling.'),
  missing_required_parameter: entry(400, 'A required field is missing.', 'Add the field that `param` names.'),
  invalid_api_key: entry(
    401,
    'The API key is missing or not known.',
    'Send `Authorization: Bearer <key>` with a key of this server.',
    'authentication_error',
  ),
  session_ended: entry(
    401,
    'The session of the browser has ended, or the key it was opened with is gone.',
    'Sign in again with `POST /v1/portal/session`.',
    'authentication_error',
  ),
  invalid_csrf_token: entry(
    403,
    'The request came with a session cookie and changes something, but without the token that proves it is the page that asks.',
    'Send the `csrf_token` of `GET /v1/portal/session` as `x-csrf-token`, or use an API key.',
  ),
  permission_denied: entry(403, 'The key may not do this.', 'Use a key with the needed role.'),
  not_found: entry(404, 'Nothing of that id exists for this tenant.', 'Check the id, and that the key belongs to the tenant that owns it.'),
  method_not_allowed: entry(405, 'The route exists, but not for this method.', 'See /openapi.json for the methods of the route.'),
  conflict: entry(
    409,
    'The object is in a state in which this cannot be done.',
    'Read the object again; the message says which state is in the way.',
  ),
  idempotency_mismatch: entry(409, 'The same Idempotency-Key was used before with another body.', 'Use a new key for a new request.'),
  payload_too_large: entry(
    413,
    'The body or the file is larger than this server accepts.',
    'Split the input, or raise the limit that the message names.',
  ),
  range_not_satisfiable: entry(
    416,
    'The byte range lies outside the file.',
    'Ask for a range within the size the Content-Range header gives.',
  ),
  quota_exceeded: entry(
    429,
    'More would be held at once than a quota allows: batches, bytes of their inputs, or queued requests.',
    'Wait until batches have ended, or have the quota raised; the message names it, and `GET /v1/usage` shows its use.',
    'rate_limit_error',
  ),
  rate_limited: entry(429, 'Too many requests.', 'Wait as long as Retry-After says.', 'rate_limit_error'),
  server_error: entry(
    500,
    'Something went wrong on the server; it was logged with the request id.',
    'Try again; if it stays, give the request id to whoever runs the server.',
    'server_error',
  ),
  not_implemented: entry(501, 'The protocol has this, and this server does not.', 'Leave out what the message names.', 'server_error'),
  unavailable: entry(
    503,
    'A part the server needs (database, storage) cannot be reached just now.',
    'Try again after the time in Retry-After.',
    'server_error',
  ),
  storage_full: entry(
    507,
    'The storage has no room left.',
    'Free space or move the data directory; nothing of the request was kept.',
    'server_error',
  ),
  model_not_ready: entry(
    503,
    'The model exists but could not be loaded; the message says why.',
    'Mend the model or its configuration, then try again.',
    'server_error',
  ),
  // Results
  results_failed: entry(
    500,
    'The table of results of a batch could not be made; its output and error files are there all the same.',
    'Read the message; a minute later asking again tries again.',
    'server_error',
  ),
  query_failed: entry(
    400,
    'A question about a table of results cannot be answered: it is no SQL that may be run, names what is not there, or needs more time or memory than it may have.',
    'Read the message; it says what is wrong, and where.',
  ),
  // Jobs
  timeout: entry(
    504,
    'The job ran for longer than its hard limit, `timeout_ms`.',
    'Give it a longer limit, or make the request smaller.',
    'server_error',
  ),
  job_cancelled: entry(409, 'The job was cancelled before it was done.', 'Submit it again, or retry it.'),
  job_expired: entry(504, 'The job had not ended at its deadline.', 'Submit it again with a later deadline, or retry it.', 'server_error'),
  model_overloaded: entry(
    503,
    'More is asked of the model, or of the memory for models, than can be answered in time.',
    'Try again after the time in Retry-After, ask less at once, or have `predict.queue_rows`, `predict.memory` or `replicas` raised.',
    'server_error',
  ),
  executor_lost: entry(
    503,
    'The process that worked on the request ended: it was killed, or ran out of memory. Requests that waited are not concerned.',
    'Try again after the time in Retry-After; where it stays, the request itself ends the process.',
    'server_error',
  ),
  // Validation of a batch's input
  invalid_json_line: entry(
    0,
    'A line of the input is not one JSON object: blank, not UTF-8, with NUL, too long, too deep or not parseable.',
    'Mend the line the error names; write one JSON object a line.',
  ),
  invalid_url: entry(0, "A line's url is not the endpoint of the batch.", "Give every line the batch's endpoint as its url."),
  invalid_method: entry(0, "A line's method is not POST.", 'Use "method": "POST".'),
  model_not_found: entry(404, 'No model of that name is served here.', 'Check the name against `GET /v1/models`.'),
  route_not_found: entry(
    404,
    'There is no route for that target and series, nor one of the target for every series.',
    'See `GET /v1/routes/options` for the targets there are, or name models instead.',
  ),
  route_empty: entry(
    400,
    'A route that is to be used, or set, has no model that holds now.',
    'Give the route a model, or mend the dates of those it has: `PUT /v1/routes/{target}`.',
  ),
  streaming_unsupported: entry(0, 'A line asks for streaming, which a batch cannot give.', 'Remove "stream": true from the body.'),
  duplicate_custom_id: entry(0, 'Two lines have the same custom_id.', 'Give each line a custom_id of its own.'),
  empty_file: entry(0, 'The input file holds no line.', 'Upload a file with at least one request.'),
  too_many_tasks: entry(0, 'The input file holds more lines than a batch may have.', 'Split the file, or raise `limits.max_lines`.'),
  window_not_feasible: entry(
    0,
    'The deadline cannot be kept with the workers there are, beside what was promised before.',
    'Give a longer completion_window; the message says which could be promised.',
  ),
  file_too_large: entry(400, 'The file is larger than this server accepts.', 'Split the file, or raise `limits.max_file_bytes`.'),
  mismatched_model: entry(
    0,
    'OpenAI-limits mode is on and the lines name several models.',
    'Use one model per file, or switch `limits.openai` off.',
  ),
  // Lines of an error file
  invalid_table: entry(
    0,
    'The input is a table that cannot be made into requests.',
    'Read the message: it says what is wrong with the file, its columns, or what the batch says of them.',
  ),
  invalid_source: entry(
    0,
    'The input could not be copied in from where its URL says.',
    'Check the URL; who runs the server says which private hosts and which buckets may be read.',
  ),
  invalid_row: entry(
    0,
    'A row of a table cannot be made into a request.',
    'Mend the row that the line counts, the first one being 1; the message says what is wrong with it.',
  ),
  batch_cancelled: entry(0, 'The batch was cancelled before this request was done.', 'Run it again with retry, or in a new batch.'),
  batch_expired: entry(
    0,
    'This request could not be executed before the completion window expired.',
    'Run it again with retry, or with a longer window.',
  ),
  model_failed: entry(
    0,
    'Models of the batch failed on this line, each in its own way; what the others answered is on the line.',
    'Read the message, which has the words of each; retry the batch, or the batch of one model.',
  ),
  request_timeout: entry(
    504,
    'The model did not answer in time.',
    'Raise the time-out of the model, or make the request smaller.',
    'server_error',
  ),
  out_of_memory: entry(
    0,
    'The request ran out of memory, also when it ran alone.',
    'Say `memory_gb` and `gpu_memory_gb` of the pools: its attempts then go to a larger one. Or ask for less: fewer samples, a shorter sequence.',
  ),
  worker_lost: entry(
    0,
    'The worker died each time this request ran.',
    'Look at the request: it may need more memory than a worker has, or crash the model.',
  ),
  upstream_error: entry(
    502,
    'The upstream model server failed or could not be reached.',
    'Look at the upstream; the message holds what it said.',
    'server_error',
  ),
  upstream_rejected: entry(
    502,
    'The upstream model server refused this request; another attempt would be refused too.',
    'Read its reply on the line; mend the request, or the key and the model name in the configuration.',
  ),
  executor_error: entry(
    500,
    'The executor failed on this request.',
    'Read the message; it holds the model runtime’s own words.',
    'server_error',
  ),
  invalid_input: entry(
    400,
    'The inputs of a prediction do not fit the model.',
    'Compare them with the model’s inputs; the message names the field.',
  ),

  // Molecules and sequences
  empty_smiles: entry(400, 'There is no SMILES.', 'Give one, or leave the row out.'),
  smiles_too_large: entry(
    400,
    'A SMILES has more characters, atoms or nested parentheses than RDKit can be trusted with.',
    'Leave it out; the message names the limit.',
  ),
  invalid_smiles: entry(
    400,
    'RDKit cannot read a SMILES.',
    'Mend it; the message is RDKit’s own and names the place where it can. A name behind a blank does not belong to a SMILES.',
  ),
  invalid_chemistry: entry(
    400,
    'A SMILES can be read, but no such molecule can exist: an impossible valence or aromatic system.',
    'Mend the structure; the message is RDKit’s own and names the atom, counted from 0.',
  ),
  invalid_smarts: entry(400, 'RDKit cannot read a SMARTS, or it is too large.', 'Mend the pattern; the message says what is wrong.'),
  chemistry_failed: entry(
    500,
    'RDKit broke on a molecule, or took too long over it.',
    'Leave the molecule out, and report it.',
    'server_error',
  ),
  empty_sequence: entry(400, 'There is no sequence.', 'Give one, or leave the row out.'),
  invalid_residue: entry(
    400,
    'A sequence holds a letter that is none of the amino acids.',
    'Replace it; the message names the place, counted from 1.',
  ),
  sequence_too_short: entry(400, 'A sequence has too few residues.', 'Give the whole sequence; the message names the limit.'),
  sequence_too_long: entry(400, 'A sequence has too many residues.', 'Give a part of it, such as one domain; the message names the limit.'),
  several_sequences: entry(400, 'A FASTA text holds several sequences where one is wanted.', 'Give one sequence a row.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errors;

/** The body of every reply that is not a success: OpenAI's envelope, all four keys always there. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}
