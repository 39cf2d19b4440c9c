/** How the figures come about: stands above them in FIGURES.md. */
export const method: Record<string, string> = {
  all: `Medians of at least three runs; ratios are taken within one run on the same work, and the sides take turns. Absolute
figures depend on the machine and on what else it does: CPU that other processes used is read from /proc/stat, runs with
more than a tenth of a core in other hands are repeated once, and what stayed so is marked *busy machine*.
Sluice runs as in production: the roles are processes of their own with the defaults of the configuration, PostgreSQL is
the embedded one with its own settings (durable commits), storage is the disk.`,
  engine: `100,000 chat completions of 400 bytes, answered by \`echo\`. Sluice's time runs from the first byte of the HTTP
upload until the API shows the batch as completed, which is after full validation and after its output file was synced;
the file is then downloaded and counted. The two other queues get the same requests through their batch calls from one
process (graphile-worker 0.18.0 \`addJobs\`, pg-boss 12.35.0 \`insert\`, 5,000 a call), and another process works on
them, once all are in, and pg-boss also while they are being added (Sluice begins only when every line has been
checked). graphile-worker is left out of the latter: the plan of its statement for results is made on a table that is
still empty, which cost it from three quarters of its speed to minutes without an end. Their settings: graphile-worker with concurrency 1000, a local queue of 2000, completeJobBatchDelay 0, and results put into a table with
one INSERT a tick; pg-boss with batches of 1000, perJobResults, burstWhenBatchFull and two local workers, results in
\`output\`. Their time includes neither files nor HTTP nor validation, and ends when the last job is done; their tables
are emptied and vacuumed between rounds (and graphile-worker's left alone by autovacuum, whose statistics of the empty
table cost it four fifths of its speed in some rounds), Sluice's are not. All three make the same result lines.

The fifth batch against the first: five such batches in a row on a new database, with a REPEATABLE READ transaction
held open from before the first.`,
  intake: `A file of 1,000,000 chat completions of 420 bytes, 420 MB, through processes that have just been started.
Validation and output file: lines and bytes by seconds as the scheduler's own metrics have them (the output file is
synced). Peak memory is VmHWM of each process when the batch has ended. *One in ten settled much later*: every tenth
request fails at its first attempt and is run again in another chunk, so that no two segments follow each other.`,
  status: `200 requests a second on a fixed schedule (open loop: a late answer counts from the moment it was due) from the
creation of a 1,000,000-line batch of \`echo\` to its end, intake and finalizing included, on the same cores. The event
loop's delay is perf_hooks' histogram, as /metrics shows it, which includes its own interval of 25 ms.`,
  idle: `\`sluice start\` (supervisor, API, scheduler, worker) after one batch and 25 s of rest. CPU from /proc. Statements
are counted in PostgreSQL's log with log_statement = all, in 30 s of their own.`,
  portal: `1,000,000 ended and open batches of one tenant, made in the database by one statement, and one batch of 1,000,000 lines
that was really run, every fiftieth line failing. One client asks one thing after the other: lists by every sort and fifteen
filters, first and second pages in turn; requests at lines all over the batch, by state and by code. *Overview, first to ask*: three
seconds after anybody asked before; else it is shared, as dashboards do.`,
  budgets: `\`npm run budgets\`: Debian's Chromium without a GPU, 1360 × 860, each run in a browser that has never been there. Largest
paint, blocking (what of tasks is beyond 50 ms) and layout shift as its PerformanceObserver has them, on the overview, the list of
batches and a batch of 50,000 lines. The table of its requests: from the last byte of the first page of rows until they are painted;
elements of the grid, at most, and the time between frames while it is scrolled by 480 pixels a frame, 400 frames. Settled until
shown: 100 requests that settle one by one, from \`settled_at\` of their segment until the row of their batch is painted with them.
Sizes are those of the built files, gzip -9; Mol* is left out of the further chunks.`,
  start: `From the start of the process \`npm start\` to the first 200 of /health/ready, asked every 5 ms.`,
  onnx: `Inside the worker's executor, without queue: from SMILES with as many processes as cores, against the same number of
bare RDKit and onnxruntime-node loops; from decoded tensors with one process against one bare onnxruntime-node loop.`,
  jobs: `Chat completions answered by \`echo\`, submitted over HTTP to the roles as processes, with durable commits. At rest: one
job at a time, 20 ms apart, from the submission to the whole answer of \`/result?wait=30\`. Many at once: 64 connections
for 6 s, each job's answer read before the next is submitted; in one call with \`Prefer: wait\`, or in two. The clients use
the same cores.`,
  claims: `1,000,000 requests in chunks of 50: 2,000 batches of 200 tenants, with 250 to 750 requests each. 64 workers of two pools claim
one after the other at 200 a second on a fixed schedule (a late claim counts from the moment it was due), over 32 connections
that have been used before, and give back what is more than two leases each. Beside them one scheduler plans turns twice a second
and has a round of the controller every five seconds, on one thread; nothing is done, so that forecasts of all batches move.`,
  scale: `1,000 workers played by two processes of 500: each has its own id and row, a heartbeat every 5 s, and one chunk of 1,000
requests at a time, settled in twelve parts 1.5 s apart, with the statements of the real worker; what it runs takes time
and no CPU, and no segment is written. 16 connections a process, as behind a pooler. One scheduler plans, decides and
sweeps beside them. 50 claims a second on a fixed schedule (a claim counts from the moment it was due, the wait for a
connection included), out of 300 batches of 60 tenants. Dead rows are n_dead_tup of pg_stat_user_tables, looked at every
5 s: *bounded* means that there were at most half as many again in the last third of the time as in the middle one.`,
  oip: `\`POST /v2/models/identity/infer\` with one tensor float32 1×3×224×224 (602,112 bytes; 2.9 MB as JSON), answered with
the same tensor by an ONNX model that gives back its input, in a process of its own. 4 connections, each sending its next
request when its last reply is read in full; the replies are not looked into. As bytes: request and reply by the binary
extension. As JSON: request and reply in JSON.`,
  chemistry: `The 9,982 molecules of AqSolDB, each checked: parsed, its canonical form written and, in the second part, its
InChIKey. The pool as the roles open it, with two processes, fragments and flags found besides; against two processes
with half of the molecules each and RDKit in a plain loop. The sides take turns; the ratio is the median of those within a round.
Two models: the onnx executor over all of them with one model, then with another, on a host that has kept no features yet.`,
  before: `The same 100,000 requests as *engine*, from the first byte of the upload until the batch has completed, by the code as it
is and as it was before there were pools, turns, strategies, deduplication, quotas and dead letters (commit 49e4c08), with the
packages of today. Each side has its own database; they take turns.`,
  molecules: `The 17,790 molecules of the examples and as many of their hydrates as make 30,000, so that no two are alike; roles as
in production, on a host that has kept no features. From the first byte of the upload until the table of results has been
downloaded as Parquet. Every molecule is checked before anything runs: parsed, its canonical SMILES and InChIKey written,
flags found, those of one structure found. The bare loop, as in *onnx*: RDKit's features and onnxruntime-node, in as many
processes as cores, from molecules in memory and with its answers thrown away; and the same, also writing each molecule's
canonical SMILES and InChIKey.`,
  dedup: `8,000 chat completions, answered by an \`echo\` that takes one request at a time and sleeps a millisecond for
each (in fact a little more, as timers go), by one worker. Every second line repeats the one before it, or one 4,000 lines
before; against a file of as many different lines, in the same round. Requests by seconds from the creation of the batch
until it has ended. No file is like an earlier one, so that only what repeats within a file is saved.`,
  predict: `\`POST /v1/predict\` in an API process with these routes alone, one row a request, 64 connections that each send their
next request when the last is answered, over plain sockets from a process beside it, on the same cores. Against a bare
Fastify process whose route takes the same body and always gives the same answer. p99 on a fixed schedule at half the rate
(a late answer counts from the moment it was due). Rows that share runs: the model as vetting judged it and the same with
\`batching: false\`, in turns, by the processor's time of their own processes. Memory: resident, of the server and all its
processes, after 20 and after 220 loads and unloads of a model of 5 MB.`,
  results: `Lines as \`echo\` answers them: four numbers in, four out, 460 bytes a row in both files. The table is made by the process that
the scheduler starts for it, its start included; DuckDB itself is the same two threads and 256 MB, joining the two files by \`custom_id\` with
types from their first lines. Answers are those of the process that the API keeps, without HTTP, nothing remembered from one to the next;
*the slowest column*: each column is sorted by in turn, and the slowest counts. Memory is VmHWM of the process.`,
};
