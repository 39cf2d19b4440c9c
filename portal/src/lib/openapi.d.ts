// Written from server/openapi.json by `npm run derive`.

export interface paths {
    "/v1/analytics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts, durations and failures, by model, user and day */
        get: operations["getAnalytics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what is archived, newest first
         * @description Files of screens, kept when the batch itself is gone.
         */
        get: operations["listArchives"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/archive/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the archived files of a batch */
        get: operations["listArchivedFiles"];
        put?: never;
        post?: never;
        /** Delete what is archived of a batch */
        delete: operations["deleteArchive"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/archive/{id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download an archived file */
        get: operations["getArchivedFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List batches, newest first */
        get: operations["listBatches"];
        put?: never;
        /**
         * Create a batch from an uploaded file of requests
         * @description With `dry_run=true` the file is checked as it would be, and nothing is created. The same Idempotency-Key gives the same batch.
         */
        post: operations["createBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a batch */
        get: operations["getBatch"];
        put?: never;
        post?: never;
        /** Delete an ended batch and its result files */
        delete: operations["deleteBatch"];
        options?: never;
        head?: never;
        /** Change name, metadata, priority or deadline */
        patch: operations["updateBatch"];
        trace?: never;
    };
    "/v1/batches/{id}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the files of a batch as a whole
         * @description Those that a screen has when it has ended: results, summary, indexes.
         */
        get: operations["listBatchArtifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/artifacts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download a file of a batch as a whole */
        get: operations["getBatchArtifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a batch
         * @description `mode: stop` (the default) starts nothing more and keeps what is under way; `mode: abort` ends that too.
         */
        post: operations["cancelBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/children": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the ligands of a screen, or the batches of one of several models
         * @description Ligands in their order, each with its state, affinity, confidence and files, while the screen runs too. Of a batch of several models: a batch a model, the heaviest first, all at once; each can be watched, cancelled and retried alone.
         */
        get: operations["listBatchChildren"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/clone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Create a batch with the settings of another */
        post: operations["cloneBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The error lines so far
         * @description In the order of the input. While the batch runs the reply has `x-sluice-incomplete: true`.
         */
        get: operations["getBatchErrors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream a batch’s events
         * @description Server-Sent Events, from the first one or after `Last-Event-ID`; `batch.progress` events between carry live counts. Ends with the batch; 204 where it has ended and there is nothing more. With `Accept: application/json` those that have happened, 500 at most, as a list.
         */
        get: operations["streamBatchEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why a batch is where it is, and what will move it */
        get: operations["explainBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/failures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why requests of a batch failed: causes, how many of each, and an example */
        get: operations["listBatchFailures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/output": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The result lines so far
         * @description In the order of the input. While the batch runs the reply has `x-sluice-incomplete: true`.
         */
        get: operations["getBatchOutput"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/repair": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Repair a stuck batch
         * @description Takes back what is held by who is gone, and lets it go on. Safe to repeat: a batch that is well is left as it is.
         */
        post: operations["repairBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a batch’s requests, by line */
        get: operations["listBatchRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/requests/{line}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the files that a request left
         * @description Structures, tables, the log; of a request that failed too.
         */
        get: operations["listRequestArtifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/requests/{line}/artifacts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a file that a request left
         * @description Ranges are answered. Always as an attachment: what a program left is not run by a browser.
         */
        get: operations["getRequestArtifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download the results as a table
         * @description One row per line of the input, in its order: inputs and columns that were sent along, status, outputs, error. In any format, with any choice of columns and rows, by a substructure of their molecules too. All of it as Parquet takes `Range`. 202 while the table is being made.
         */
        get: operations["getBatchResults"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/molecules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Rows whose molecule holds a substructure
         * @description Looks through the rows that the filter lets pass, in order, from `offset` on: until `limit` of them are found, or for some 2 seconds, 20,000 rows at most. `looked` says how many that were, `next_offset` where to go on.
         */
        get: operations["findBatchResultsMolecules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/page": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page of the results, for screens */
        get: operations["getBatchResultsPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask the table a question in SQL
         * @description One `select` over `results`, in DuckDB's SQL, in a process that has nothing but this table: no other file, no network, no settings; 10 seconds and 256 MB.
         */
        post: operations["queryBatchResults"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/scatter": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Two properties against each other, as columns */
        get: operations["getBatchResultsScatter"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures of each property, and failures by their cause */
        get: operations["getBatchResultsSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/table": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The columns of the table of results, and whether it is there */
        get: operations["getBatchResultsTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/results/top": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The best rows, by a property or by a weighted objective */
        get: operations["getBatchResultsTop"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run failed requests again, in a linked continuation
         * @description Without a filter: all that failed, dead-lettered or expired. The batch and its files stay as they are.
         */
        post: operations["retryBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a create would come to
         * @description The body of a create, by the code of a create: who runs its lines, how many requests, how long and how much in each pool, what quotas leave. The whole input is looked at; nothing is kept.
         */
        post: operations["previewBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List bulk operations, newest first */
        get: operations["listBulkOperations"];
        put?: never;
        /**
         * Do something to many batches, or many requests
         * @description To all that the filter means, whatever page it stands on; an empty filter is refused. With `preview=true` nothing is done, and the reply says what would be. The same Idempotency-Key gives the same operation.
         */
        post: operations["createBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a bulk operation, with its progress */
        get: operations["getBulkOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/{id}/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a bulk operation left alone, or could not do, and why */
        get: operations["listBulkItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a bulk operation
         * @description Before its next item; what it has done stays done.
         */
        post: operations["stopBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What such an operation would meet: matched, eligible, skipped and why */
        post: operations["previewBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cache/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the cache of answers holds and saves */
        get: operations["getCacheMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cache/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget the tenant's answers */
        post: operations["resetCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/callbacks/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report that a call has ended
         * @description For servers that models with `executor: http` call: signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`, `webhook-signature`) with the secret of the model. Taken once.
         */
        post: operations["reportCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Chat */
        post: operations["createChatCompletion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/completion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Open batches, those that stand still apart, and the system’s health */
        get: operations["getCompletion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/completion/repair": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Repair every stuck batch
         * @description Safe to repeat: batches that are well are left as they are.
         */
        post: operations["repairCompletion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Complete a text */
        post: operations["createCompletion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead_letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List dead letters, newest batch first, or count them by cause */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead_letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a dead letter, with its input and every attempt */
        get: operations["getDeadLetter"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead_letters/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give dead letters up, with a reason
         * @description They are marked, and left out of lists that do not ask for them; batches and their files stay as they are.
         */
        post: operations["discardDeadLetters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead_letters/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dead letters with what was sent, one JSON object a line
         * @description By the same filters as the list. `request` is the line of the input; null once the input file is gone.
         */
        get: operations["downloadDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead_letters/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run dead letters again, in a continuation of each of their batches
         * @description A bulk operation: paced by `options.per_second`, stopped and looked at through `/v1/bulk/{id}`.
         */
        post: operations["redriveDeadLetters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/depict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A molecule drawn, as SVG */
        get: operations["depictMolecule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embeddings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Embed texts */
        post: operations["createEmbedding"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream all events of the tenant
         * @description Server-Sent Events. With `progress=true`, `batch.progress` events between them carry live counts of the newest running batches.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List files */
        get: operations["listFiles"];
        put?: never;
        /** Upload a file */
        post: operations["createFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a file */
        get: operations["retrieveFile"];
        put?: never;
        post?: never;
        /**
         * Delete a file
         * @description A batch that was accepted before still reads it to its end.
         */
        delete: operations["deleteFile"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the content of a file, or a range of it */
        get: operations["downloadFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List jobs, newest first */
        get: operations["listJobs"];
        put?: never;
        /**
         * Submit a request, to be answered in the background
         * @description Replies 202 with the job at once. With `Prefer: wait=N` the call is held for up to N seconds: 200 with the job and its `result` where it has ended by then. The same Idempotency-Key gives the same job.
         */
        post: operations["createJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a job */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /** Delete a job that has ended */
        delete: operations["deleteJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the files that a job left
         * @description Structures, tables, the log; of a job that failed too.
         */
        get: operations["listJobArtifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/artifacts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download a file that a job left */
        get: operations["getJobArtifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job
         * @description One that waits is cancelled at once. One that runs is ended by its worker: the call is aborted or the process killed, and its status follows.
         */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the answer of a job
         * @description The answer as the endpoint would have given it, with its status; of a job that failed, the error it ended with. 202 with the job while it has not ended; `wait` holds the call until it has.
         */
        get: operations["getJobResult"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a job again that has ended
         * @description A new job with the same request, linked by `retry_of`; the old one stays as it is.
         */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the models
         * @description Each model as its newest version, then its other versions that are ready, by name: whatever `model` of a request may say.
         */
        get: operations["listModels"];
        put?: never;
        /**
         * Register a version of a model
         * @description A model of executor `onnx` waits for its file then (`…/upload`), and is vetted before it is ready. Models that other servers answer for are registered with an admin key.
         */
        post: operations["createModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a model
         * @description A name alone is the model, with the status of its newest version.
         */
        get: operations["getModel"];
        put?: never;
        post?: never;
        /**
         * Delete a model
         * @description With all its versions, or the one that is named. Refused while a batch or job that has not ended uses it.
         */
        delete: operations["deleteModel"];
        options?: never;
        head?: never;
        /**
         * Change what is said of a model
         * @description Of its newest version, or the one that is named: tags, card and columns of outputs at any time, options and schema until it is ready.
         */
        patch: operations["updateModel"];
        trace?: never;
    };
    "/v1/models/{model}/aliases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the aliases of a model */
        get: operations["listModelAliases"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/aliases/{alias}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an alias */
        get: operations["getModelAlias"];
        /**
         * Make an alias mean a version
         * @description From then on requests that say `name@alias` are answered by it. What was accepted before stays with the version it began with.
         */
        put: operations["moveModelAlias"];
        post?: never;
        /** Remove an alias */
        delete: operations["deleteModelAlias"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/aliases/{alias}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who moved an alias, when, from where to where */
        get: operations["getModelAliasHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/aliases/{alias}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take the last move of an alias back
         * @description Asked again, the one before it.
         */
        post: operations["rollBackModelAlias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Archive a model
         * @description All versions that are ready, or the one that is named: they take nothing new, and finish what was accepted for them.
         */
        post: operations["archiveModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/predict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Predict now, with a model
         * @description A model whose answers take minutes, such as Boltz-2, answers with a job: 202, and where its answer will be.
         */
        post: operations["predictWithModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/schema": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the JSON Schema of a model's inputs, and of its outputs as `$defs.outputs` */
        get: operations["getModelSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/upload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a model's file
         * @description A form with the field `file`, or JSON with `upload_id` (a completed upload in parts, which can be resumed) or `file_id`. It is vetted then.
         */
        post: operations["uploadModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the versions of a model, newest first */
        get: operations["listModelVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a version of a model */
        get: operations["getModelVersion"];
        put?: never;
        post?: never;
        /** Delete a version of a model */
        delete: operations["deleteModelVersion"];
        options?: never;
        head?: never;
        /**
         * Change what is said of a version
         * @description Tags, card and columns of outputs at any time, options and schema until it is ready.
         */
        patch: operations["updateModelVersion"];
        trace?: never;
    };
    "/v1/models/{model}/versions/{version}/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Archive a version of a model */
        post: operations["archiveModelVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/versions/{version}/predict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Predict now, with a version */
        post: operations["predictWithVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/versions/{version}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put an archived version back into service */
        post: operations["restoreModelVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}/versions/{version}/upload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a version's file
         * @description A form with the field `file`, or JSON with `upload_id` (a completed upload in parts, which can be resumed) or `file_id`. It is vetted then.
         */
        post: operations["uploadModelVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/by-name/{model}/latest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the newest version of a model */
        get: operations["getLatestByName"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/by-name/{model}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the versions of a model, newest first */
        get: operations["listVersionsByName"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/molecules/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whether texts are molecules, and which */
        post: operations["checkMolecules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/molecules/match": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which molecules hold a substructure, or are like another; their scaffolds */
        post: operations["matchMolecules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the pools, with desired and actual workers */
        get: operations["listPools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/attention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What somebody should look at, the worst first, with the filter of the list that shows it */
        get: operations["getPortalAttention"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Batches as a list shows them: filtered, searched and sorted, page after page */
        get: operations["listPortalBatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a page about a batch shows besides it: states, stages, marks, models, workers and throughput */
        get: operations["getPortalBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/batches/{id}/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A window of a batch’s requests, from any line on, without their bodies */
        get: operations["listPortalRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/batches/{id}/requests/{line}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was sent with a request, or what came back, as it lies in its file; at most so many bytes */
        get: operations["getPortalBody"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/batches/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many batches have each status, model, user, pool, priority and SLA, of those that the other filters mean */
        get: operations["countPortalBatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * API keys: one’s own; an admin’s request has all of the tenant
         * @description Keys stand in the configuration; here is which there are and when they were used last.
         */
        get: operations["listKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What runs, waits and failed, how fast and how well: from figures that are kept ready */
        get: operations["getPortalOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whatever a text may name: batches, requests, files, jobs, models
         * @description By id or its beginning, also inside an address; else by beginnings of words in names, metadata and errors, and by custom_id in the newest batches.
         */
        get: operations["searchPortal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in, and what a page needs to know */
        get: operations["getPortalSession"];
        put?: never;
        /**
         * Sign a browser in with an API key
         * @description Sets an HttpOnly cookie that all of `/v1` takes instead of the key. With it, whatever is not GET or HEAD must carry the `csrf_token` of the reply as `x-csrf-token`.
         */
        post: operations["signIn"];
        /** Sign out */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How pages are set up for the user */
        get: operations["getPortalSettings"];
        /** Set pages up for the user: in the place of all that was set before */
        put: operations["putPortalSettings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Saved views: one’s own, and those that others of the tenant share */
        get: operations["listViews"];
        put?: never;
        /** Save a view */
        post: operations["createView"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/portal/views/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a view */
        delete: operations["deleteView"];
        options?: never;
        head?: never;
        /** Change a view */
        patch: operations["updateView"];
        trace?: never;
    };
    "/v1/predict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Predict now */
        post: operations["predict"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/predictions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List records of predictions, newest first
         * @description They appear a moment after the answer. What is kept, and how long, is an option of the model: `records`.
         */
        get: operations["listPredictions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/predictions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the record of a prediction */
        get: operations["getPrediction"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/predictions/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download records of predictions, oldest first
         * @description As JSONL, or as CSV in which no field is a formula.
         */
        get: operations["exportPredictions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a request, with its input, attempts and output */
        get: operations["getRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/requests/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run one request again, in a continuation */
        post: operations["retryRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Respond */
        post: operations["createResponse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the routes, by target and series */
        get: operations["listRoutes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes/{target}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a route */
        get: operations["getRoute"];
        /**
         * Make a route, or have it recommend other models
         * @description Batches that are there keep the models they were given.
         */
        put: operations["setRoute"];
        post?: never;
        /**
         * Remove a route
         * @description Its history stays. A route of the configuration that it hid is seen again.
         */
        delete: operations["deleteRoute"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes/{target}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who changed a route, when, from what to what */
        get: operations["getRouteHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/routes/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What can be chosen for a batch
         * @description Targets, series, models, output formats and limits. As of at most 60 seconds ago.
         */
        get: operations["getRouteOptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/screens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List screens, newest first */
        get: operations["listScreens"];
        put?: never;
        /**
         * Screen a protein against ligands
         * @description The server writes a request for each ligand and makes a batch of them: progress, events, cancel, retry and deletion are those of batches. The same Idempotency-Key gives the same screen.
         */
        post: operations["createScreen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/screens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a screen, with its summary once it has ended */
        get: operations["getScreen"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin an upload in parts */
        post: operations["createUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an upload */
        get: operations["retrieveUpload"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel an upload */
        post: operations["cancelUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads/{id}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a file of the parts */
        post: operations["completeUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/uploads/{id}/parts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a part to an upload */
        post: operations["addUploadPart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the caller, the tenant and all together may hold, and do */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the workers */
        get: operations["listWorkers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workers/{id}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Drain a worker
         * @description It takes nothing more, finishes what runs, gives the rest back and ends. Asking twice changes nothing.
         */
        post: operations["drainWorker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workers/running": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What runs where now */
        get: operations["listRunning"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the server is */
        get: operations["inferenceServer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server answers at all */
        get: operations["inferenceLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether it can do its work; 503 otherwise */
        get: operations["inferenceReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the ONNX models */
        get: operations["inferenceModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a model takes and gives */
        get: operations["inferenceModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as Triton has it */
        get: operations["inferenceModelConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Infer
         * @description Tensors in JSON, or as bytes after it: `Inference-Header-Content-Length` tells how many bytes of the body are JSON (0: one tensor and nothing else).
         */
        post: operations["infer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether it can be asked; 503 otherwise. Loads it where it is not loaded yet */
        get: operations["inferenceModelReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What it was asked since the server began */
        get: operations["inferenceModelStatistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a model takes and gives (one version) */
        get: operations["inferenceModelOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as Triton has it (one version) */
        get: operations["inferenceModelConfigOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Infer (one version)
         * @description Tensors in JSON, or as bytes after it: `Inference-Header-Content-Length` tells how many bytes of the body are JSON (0: one tensor and nothing else).
         */
        post: operations["inferOfVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether it can be asked; 503 otherwise. Loads it where it is not loaded yet (one version) */
        get: operations["inferenceModelReadyOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What it was asked since the server began (one version) */
        get: operations["inferenceModelStatisticsOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Statistics of all of them */
        get: operations["inferenceStatistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/index": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Their versions and states */
        post: operations["inferenceIndex"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{model}/load": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Load a model now */
        post: operations["inferenceLoad"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{model}/unload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End its processes; its next request loads it again */
        post: operations["inferenceUnload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Analytics: {
            batches: {
                by_status: {
                    [key: string]: number;
                };
                duration_seconds: {
                    max: number | null;
                    p50: number | null;
                    p95: number | null;
                };
                total: number;
            };
            days: {
                batches: number;
                completed: number;
                /** @description UTC, as 2026-11-22. */
                day: string;
                failed: number;
                requests: number;
            }[];
            failures: {
                code: string;
                requests: number;
            }[];
            /** @description Seconds since the epoch. */
            from: number;
            models: {
                batches: number;
                completed: number;
                failed: number;
                input_tokens: number;
                model: string;
                output_tokens: number;
                requests: number;
            }[];
            /** @constant */
            object: "analytics";
            requests: {
                cancelled: number;
                completed: number;
                expired: number;
                failed: number;
                total: number;
            };
            /** @description Seconds since the epoch. */
            to: number;
            users: {
                batches: number;
                requests: number;
                user: string;
            }[];
        };
        Archived: {
            /** @description Seconds since the epoch. */
            archived_at: number;
            bytes: number;
            created_by: string;
            files: number;
            /** @description Of the batch, which may be gone. */
            id: string;
            kind: string;
            name: string | null;
            /** @constant */
            object: "archive";
        };
        Artifact: {
            /** @description The attempt that left it. */
            attempt: number;
            bytes: number;
            /** @description As the model has it; types that a browser would run are sent as bytes. */
            content_type: string;
            /** @example structure.cif */
            name: string;
            /** @constant */
            object: "artifact";
            sha256: string;
            /** @description Where its bytes are. */
            url: string;
        };
        Batch: {
            /** @description Whether the deadline was promised when the batch was let in. */
            admitted: boolean;
            /** @description Whether dedicated workers are helping because its deadline would be missed without them. */
            at_risk: boolean;
            cancelled_at: number | null;
            cancelling_at: number | null;
            /** @description Of a parent: its batches, the heaviest model first. */
            children: {
                id: string;
                /** @description What the merged results call it: the name, or name@version where two versions of it run. */
                label: string;
                /** @description name@version */
                model: string;
                request_counts: {
                    cancelled: number;
                    completed: number;
                    expired: number;
                    /** @description Requests that failed, dead-lettered ones included; cancelled and expired ones are not. */
                    failed: number;
                    total: number;
                };
                /** @enum {unknown} */
                status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
                /** @description As its route has it; 1 without a route. */
                weight: number;
            }[];
            completed_at: number | null;
            completion_window: string;
            continued_by: string[];
            continues: string | null;
            /** @description Seconds since the epoch. */
            created_at: number;
            created_by: string;
            dedup: string | null;
            /** @description Requests that were not run: they got the answer of another one of the batch, of another batch, of a similar one. */
            dedup_counts: {
                batch: number;
                cache: number;
                semantic: number;
            };
            /** @description Whether requests that ask for sampling are deduplicated too. */
            dedup_sampled: boolean;
            endpoint: string;
            error_file_id: string | null;
            errors: {
                data: {
                    code: string;
                    line: number | null;
                    message: string;
                    param: string | null;
                }[];
                /** @constant */
                object: "list";
            } | null;
            errors_file_id: string | null;
            escalated_at: number | null;
            expired_at: number | null;
            /** @description Seconds since the epoch. */
            expires_at: number;
            failed_at: number | null;
            finalizing_at: number | null;
            forecast: {
                /** @description Seconds since the epoch. */
                p50: number;
                /** @description Seconds since the epoch. */
                p90: number;
            } | null;
            id: string;
            in_progress_at: number | null;
            input_file_id: string;
            /**
             * @description What it is besides a batch. `parent`: its lines are run by several models, each in a batch of its own; it counts lines, not requests.
             * @enum {unknown}
             */
            kind: "batch" | "parent" | "screen";
            /**
             * @description Where it waits: interactive before jobs before bulk.
             * @enum {unknown}
             */
            lane: "interactive" | "jobs" | "bulk";
            max_attempts: number | null;
            max_concurrent: number | null;
            metadata: {
                [key: string]: string;
            } | null;
            model: string | null;
            models: string[];
            name: string | null;
            /** @constant */
            object: "batch";
            output_file_id: string | null;
            parent: string | null;
            pool: string | null;
            /** @description To which workers its work was given, when and why; of those without `requests` the last one holds. */
            pool_history: {
                /** @description Seconds since the epoch. */
                at: number;
                /** @description The pool in which the requests ran out of memory. */
                from?: string;
                /** @description `spot` or `dedicated`; the name of a pool where the batch asked for one, or some requests moved to it. */
                pool: string;
                reason: string;
                /** @description So many of its requests moved, to a pool with more memory; absent: all of them. */
                requests?: number;
            }[];
            priority: number;
            request_counts: {
                cancelled: number;
                completed: number;
                expired: number;
                /** @description Requests that failed, dead-lettered ones included; cancelled and expired ones are not. */
                failed: number;
                total: number;
            };
            route: {
                matched: string | null;
                series: string | null;
                target: string;
            } | null;
            sla: ("on_track" | "at_risk" | "met" | "breached") | null;
            source: components["schemas"]["BatchSource"] | null;
            /** @enum {unknown} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
            strategy: string | null;
            usage: {
                input_tokens: number;
                input_tokens_details: {
                    cached_tokens: number;
                };
                output_tokens: number;
                output_tokens_details: {
                    reasoning_tokens: number;
                };
                total_tokens: number;
            } | null;
            validation: {
                checked: number;
                total: number | null;
            } | null;
        };
        BatchExplanation: {
            id: string;
            next: string[];
            /** @constant */
            object: "batch.explanation";
            reasons: {
                /** @description One of no_scheduler, no_worker, lost_leases, intake_lost, finalize_lost, waiting_only, no_progress, not_held, lease_over, held, tries, queued, larger_pool, leased, holder, lost_worker, waiting, nothing_open, children, child, width, quota, deadline, at_risk, deadline_passed, escalated, forecast, failed, late, cancelled, leftovers; of a batch whose input was refused, the error's code. */
                code: string;
                text: string;
            }[];
            stalled: boolean;
            /** @enum {unknown} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
            summary: string;
        };
        BatchFailure: {
            /** @description Where: the batch itself; of one of several models, those of its batches in which it happened, the most first. */
            batches: {
                count: number;
                id: string;
            }[];
            /** @description The message without what differs from one request to the next. */
            cause: string;
            code: string;
            count: number;
            /** @description Of these, the ones that used up their attempts. */
            dead_lettered: number;
            example: {
                id: string;
                line: number;
                message: string;
            };
            /** @description Seconds since the epoch, with fractions. */
            first_seen: number;
            /** @description Seconds since the epoch, with fractions. */
            last_seen: number;
            models: string[];
            /** @constant */
            object: "batch.failure";
        };
        BatchFailures: {
            /** @description The most frequent first. */
            data: components["schemas"]["BatchFailure"][];
            /** @description Requests that failed, of all causes; of several models, each line as often as models failed at it. */
            failed: number;
            has_more: boolean;
            /** @constant */
            object: "list";
        };
        BatchPreview: {
            admitted: boolean | null;
            bytes: number;
            errors: {
                data: {
                    code: string;
                    line: number | null;
                    message: string;
                    param: string | null;
                }[];
                /** @constant */
                object: "list";
                total: number;
            } | null;
            estimated_seconds: number | null;
            /** @description Seconds since the epoch. */
            expires_at: number;
            /** @enum {unknown} */
            kind: "batch" | "parent";
            /** @description Lines or rows of the input. */
            lines: number;
            /** @description Who would run its lines, the heaviest first. */
            models: {
                /** @description What merged results call it. */
                label: string;
                /** @description Whether that was measured, or is a guess. */
                measured: boolean;
                /** @description name@version */
                model: string;
                /** @description Requests a second one worker does. */
                rate: number;
                requests: number;
                weight: number;
            }[];
            /** @constant */
            object: "batch.preview";
            pools: {
                /** @description Were all of it done here, in the currency of the price. */
                cost: number;
                /** @enum {unknown} */
                kind: "spot" | "dedicated";
                /** @description That there may be. */
                maximum: number;
                pool: string;
                /** @description Of a worker-hour. */
                price: number;
                seconds: number | null;
                /** @description Whether the batch may run here: false where it asks for another pool. */
                takes: boolean;
                /** @description The work, in seconds of one worker. */
                worker_seconds: number;
                /** @description That are there now. */
                workers: number;
            }[];
            /** @description Those that are set; none: any number. */
            quotas: {
                /** @description After it. */
                left: number;
                limit: number;
                /** @description By this batch. */
                needed: number;
                /** @enum {unknown} */
                scope: "user" | "tenant" | "global";
                used: number;
                /** @enum {unknown} */
                what: "batches" | "queued_requests" | "queued_bytes";
            }[];
            /** @description That these make: one a line and model. */
            requests: number;
            route: {
                matched: string | null;
                series: string | null;
                target: string;
            } | null;
            table: {
                columns: {
                    [key: string]: string | string[];
                };
                compression: string | null;
                duplicates: number;
                /** @description The first rows, as they were read. */
                first: {
                    [key: string]: unknown;
                }[];
                flags: {
                    [key: string]: number;
                };
                format: string;
                refused: number;
                rows: number;
                /** @description Every column of the table, and what its values are. */
                types: {
                    [key: string]: string;
                };
            } | null;
            /** @description Whether a create of the same would run. */
            valid: boolean;
            workers: number;
        };
        BatchRepair: {
            /** @description Empty: there was nothing to repair. */
            done: {
                /** @enum {unknown} */
                code: "lease_ended" | "chunks_taken_back" | "retries_gathered" | "expired" | "closed" | "leftovers_removed" | "milestones_told";
                count: number;
                text: string;
            }[];
            id: string;
            /** @constant */
            object: "batch.repair";
            /** @enum {unknown} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
        };
        /** @description The table that the requests were made of; null where the input holds requests. */
        BatchSource: {
            /** @description Columns of the table, as they are called in the results: each name once. */
            carried?: string[];
            columns?: {
                [key: string]: string | string[];
            };
            compression?: ("gzip" | "zstd") | null;
            /** @description Rows whose structure an earlier row has. */
            duplicates?: number;
            /** @description Rows by what is worth knowing of them: salts, mixtures. */
            flags?: {
                [key: string]: number;
            };
            /** @enum {unknown} */
            format?: "jsonl" | "csv" | "tsv" | "parquet" | "sdf" | "smi";
            /** @enum {unknown} */
            kind: "file" | "rows" | "url";
            /** @description Rows that are not run because they have a problem. */
            refused?: number;
            rows?: number;
            url?: string;
        };
        BatchStanding: {
            created_by: string;
            /** @description Seconds since the epoch, with fractions. */
            expires_at: number;
            id: string;
            /** @description Seconds since the epoch, with fractions. */
            last_progress_at: number;
            /** @description The last of 10, 25, 50, 75, 90, 100 per cent that was told of; 0 before the first. */
            milestone: number;
            name: string | null;
            /** @constant */
            object: "batch.standing";
            reason: {
                /** @description One of no_scheduler, no_worker, lost_leases, intake_lost, finalize_lost, waiting_only, no_progress, not_held, lease_over, held, tries, queued, larger_pool, leased, holder, lost_worker, waiting, nothing_open, children, child, width, quota, deadline, at_risk, deadline_passed, escalated, forecast, failed, late, cancelled, leftovers; of a batch whose input was refused, the error's code. */
                code: string;
                text: string;
            } | null;
            /** @description Requests that have completed or failed. */
            settled: number;
            stalled: boolean;
            /** @enum {unknown} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
            total: number;
        };
        /** @description What an operation left alone, or could not do. */
        BulkItem: {
            /** @description Of the batch or the request. */
            id: string;
            message: string;
            /** @constant */
            object: "bulk_item";
            /** @enum {unknown} */
            outcome: "skipped" | "failed";
            reason: string;
        };
        BulkOperation: {
            /** @enum {unknown} */
            action: "cancel" | "retry" | "redrive" | "priority" | "deadline";
            as_of: number;
            counts: {
                done: number;
                eligible: number;
                failed: number;
                /** @description When it was created, as are those eligible. */
                matched: number;
                skipped: number;
            };
            /** @description Seconds since the epoch. */
            created_at: number;
            created_by: string;
            ended_at: number | null;
            error: string | null;
            excluded: number;
            filter: {
                /** @description Of requests: those of this batch; of one over several models, those of its batches. */
                batch?: string;
                /** @description Of requests: their cause, as `GET /v1/dead_letters?group=cause` names it. */
                cause?: string;
                /** @description Of requests: the code they ended with. */
                code?: string;
                /**
                 * @description Of batches.
                 * @enum {unknown}
                 */
                endpoint?: "/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict";
                /** @description Of batches: words in the code or cause of a failure. */
                error?: string;
                /** @description Of batches: those that have these pairs. */
                metadata?: {
                    [key: string]: string;
                };
                /** @description `name`, or `name@version`; of batches, several may be named. */
                model?: string | string[];
                /** @description Of batches: pools they asked for, or were given to last. */
                pool?: string[];
                /** @description Of batches. */
                priority?: number[];
                /** @description Of batches: beginnings of words in name and metadata, or of an id. Of requests: text in the message. In upper or lower case. */
                q?: string;
                /** @description Batches created, or requests ended, at this second or later. */
                since?: number;
                /** @description Of batches: how their promises stand. */
                sla?: ("on_track" | "at_risk" | "met" | "breached")[];
                /** @description Of requests. A retry takes all but the cancelled ones where it is not said; a redrive takes dead letters only. */
                state?: ("failed" | "dead_lettered" | "cancelled" | "expired")[];
                /** @description Of batches. */
                status?: ("validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled")[];
                /** @description Batches created, or requests ended, before this second. */
                until?: number;
                /** @description Batches this user made, or their requests; of batches, several may be named. */
                user?: string | string[];
            } | null;
            id: string;
            ids: number | null;
            /** @constant */
            object: "bulk_operation";
            /** @enum {unknown} */
            on: "batches" | "requests";
            options: {
                /** @description Retry, redrive: also what a continuation runs again already. */
                again?: boolean;
                /** @description Retry, redrive: of the continuations. Deadline: the new one, counted from the creation. */
                completion_window?: string;
                /** @description The new `expires_at`, in seconds since the epoch. */
                deadline?: number;
                /**
                 * @description Cancel: `stop` (the default) lets finish what is under way.
                 * @enum {unknown}
                 */
                mode?: "stop" | "abort";
                /** @description At most so many batches, or requests, a second; default: no limit. */
                per_second?: number;
                /** @description normal = 1, medium = 5, high = 10, or a number from 0 to 100; more is sooner. Where it is absent, `metadata.priority` counts in the same words or numbers; any other word there is yours, and means nothing here. */
                priority?: number | ("normal" | "medium" | "high");
            };
            reason: string | null;
            started_at: number | null;
            /** @enum {unknown} */
            status: "queued" | "running" | "stopping" | "stopped" | "completed" | "failed";
        };
        BulkPreview: {
            /** @enum {unknown} */
            action: "cancel" | "retry" | "redrive" | "priority" | "deadline";
            /** @description Send it with the run, and nothing that came since is meant. */
            as_of: number;
            eligible: number;
            matched: number;
            /** @constant */
            object: "bulk_preview";
            /** @enum {unknown} */
            on: "batches" | "requests";
            /** @description The first ids of those eligible. */
            sample: string[];
            skipped: {
                count: number;
                means: string;
                reason: string;
                sample: string[];
            }[];
        };
        CacheFigures: {
            /** @description Asked past the cache: by the request, or because hits are rare. */
            bypasses: number;
            bytes: number;
            /** @description Answers in the memory of the process that replied. */
            entries: number;
            /** @description Hits of all that were looked up; 0 where none was. */
            hit_ratio: number;
            /** @description Answers that did not have to be computed. */
            hits: number;
            hits_from: {
                /** @description A batch had been given it. */
                batch: number;
                /** @description Was being computed for somebody else. */
                flight: number;
                memory: number;
                redis: number;
            };
            max_bytes: number;
            misses: number;
            models: {
                /** @description Hits are so rare that only a sample of the requests is looked up. */
                bypassed: boolean;
                /** @description Asked past the cache: by the request, or because hits are rare. */
                bypasses: number;
                /** @description Hits of all that were looked up; 0 where none was. */
                hit_ratio: number;
                /** @description Answers that did not have to be computed. */
                hits: number;
                hits_from: {
                    /** @description A batch had been given it. */
                    batch: number;
                    /** @description Was being computed for somebody else. */
                    flight: number;
                    memory: number;
                    redis: number;
                };
                misses: number;
                model: string;
            }[];
            /** @constant */
            object: "cache.metrics";
            /**
             * @description `away`: it does not answer, and memory alone serves.
             * @enum {unknown}
             */
            redis: "off" | "ok" | "away";
            ttl_seconds: number;
        };
        CacheReset: {
            /** @constant */
            object: "cache.reset";
            tenant: string;
        };
        CheckedMolecules: {
            /** @description One for each, in order. */
            data: {
                error: {
                    /** @description See docs/errors.md, “Molecules and sequences”. */
                    code: string;
                    message: string;
                    /** @description The character at which it goes wrong, from 1. */
                    position?: number;
                } | null;
                /** @description `salt`, `solvate`, `mixture`, `charged`, `no_carbon`, `metal`, `isotope`, `open_ends`; see docs/chemistry.md. */
                flags: string[];
                fragments: number | null;
                inchikey: string | null;
                /** @description From 0, as the molecules were given. */
                index: number;
                name: string | null;
                smiles: string | null;
                valid: boolean;
            }[];
            /** @constant */
            object: "list";
            valid: number;
        };
        CheckMolecules: {
            /** @description What stands behind a blank is a name; default false: it is a mistake. */
            names?: boolean;
            /** @description SMILES, one a molecule. */
            smiles: string[];
        };
        Completion: {
            active: components["schemas"]["BatchStanding"][];
            /** @description More batches are open than were looked at, oldest first. */
            has_more: boolean;
            health: {
                oldest_queued_seconds: number | null;
                schedulers: {
                    alive: boolean;
                    planned_seconds_ago: number | null;
                };
                /** @description Batches still to be validated. */
                waiting_for_intake: number;
                workers: {
                    draining: number;
                    leases: number;
                    lost: number;
                    pool: string;
                    ready: number;
                }[];
            };
            /** @constant */
            object: "completion";
            stalled: components["schemas"]["BatchStanding"][];
            stalled_after_minutes: number;
        };
        /** @description A request that used up its attempts, or killed each worker that ran it. */
        DeadLetter: {
            attempts: number;
            batch_id: string;
            /** @description The message without what differs from one request to the next: numbers, ids, quoted texts. */
            cause: string;
            code: string;
            custom_id: string | null;
            /** @description Seconds since the epoch, with fractions. */
            died_at: number;
            discard_reason: string | null;
            discarded_at: number | null;
            discarded_by: string | null;
            /** @description The id of the request. */
            id: string;
            line: number;
            message: string;
            model: string;
            /** @constant */
            object: "dead_letter";
            redriven_as: string | null;
            /**
             * @description `redriven`: a continuation runs it again, or did. `discarded`: given up on, with a reason.
             * @enum {unknown}
             */
            status: "open" | "redriven" | "discarded";
            status_code: number | null;
            /** @description Who made the batch. */
            user: string;
            worker: string | null;
        };
        DeadLetterCause: {
            batches: number;
            cause: string;
            code: string;
            count: number;
            first_seen: number;
            last_seen: number;
            /** @constant */
            object: "dead_letter.cause";
            /** @description The id of the newest of these requests. */
            sample: string;
        };
        DeadLetterCauses: {
            data: components["schemas"]["DeadLetterCause"][];
            has_more: boolean;
            /** @constant */
            object: "list";
        };
        DeadLetterDetails: {
            attempts: number;
            batch_id: string;
            /** @description The message without what differs from one request to the next: numbers, ids, quoted texts. */
            cause: string;
            code: string;
            custom_id: string | null;
            /** @description Seconds since the epoch, with fractions. */
            died_at: number;
            discard_reason: string | null;
            discarded_at: number | null;
            discarded_by: string | null;
            endpoint: string;
            history: {
                code: string;
                duration_ms: number;
                kind: string;
                message: string;
                number: number;
                started_at: number;
                status_code: number | null;
                worker: string | null;
            }[];
            /** @description The id of the request. */
            id: string;
            input: unknown | null;
            line: number;
            message: string;
            model: string;
            newest: unknown | null;
            /** @constant */
            object: "dead_letter";
            output: unknown | null;
            redriven_as: string | null;
            /**
             * @description `redriven`: a continuation runs it again, or did. `discarded`: given up on, with a reason.
             * @enum {unknown}
             */
            status: "open" | "redriven" | "discarded";
            status_code: number | null;
            /** @description Who made the batch. */
            user: string;
            worker: string | null;
        };
        DeletedFile: {
            /** @constant */
            deleted: true;
            id: string;
            /** @constant */
            object: "file";
        };
        DeletedModel: {
            /** @constant */
            deleted: true;
            id: string;
            /** @constant */
            object: "model";
        };
        DiscardedDeadLetters: {
            /** @description How many are marked now that were not before. */
            discarded: number;
            /** @constant */
            object: "dead_letters.discarded";
            /** @description Ids that are no dead letter, or were discarded before. */
            skipped: number;
        };
        DryRun: {
            admitted: boolean | null;
            bytes: number;
            errors: {
                data: {
                    code: string;
                    line: number | null;
                    message: string;
                    param: string | null;
                }[];
                /** @constant */
                object: "list";
                total: number;
            } | null;
            estimated_seconds: number | null;
            /** @description Seconds since the epoch. */
            expires_at: number;
            lines: number;
            models: {
                lines: number;
                measured: boolean;
                model: string;
                /** @description Requests a second one worker does. */
                rate: number;
            }[];
            /** @constant */
            object: "batch.dry_run";
            table: {
                columns: {
                    [key: string]: string | string[];
                };
                compression: string | null;
                duplicates: number;
                /** @description The first rows, as they were read. */
                first: {
                    [key: string]: unknown;
                }[];
                flags: {
                    [key: string]: number;
                };
                format: string;
                refused: number;
                rows: number;
                /** @description Every column of the table, and what its values are. */
                types: {
                    [key: string]: string;
                };
            } | null;
            valid: boolean;
            workers: number;
        };
        /** @description Every reply that is not a success. */
        Error: {
            error: {
                code: string | null;
                message: string;
                param: string | null;
                type: string;
            };
        };
        InferenceError: {
            error: string;
        };
        InferenceModel: {
            inputs: {
                /** @description `FP32`, `INT64`, `BOOL`, `BYTES`, … */
                datatype: string;
                name: string;
                /** @description A dimension that varies is -1. */
                shape: number[];
            }[];
            name: string;
            outputs: {
                /** @description `FP32`, `INT64`, `BOOL`, `BYTES`, … */
                datatype: string;
                name: string;
                /** @description A dimension that varies is -1. */
                shape: number[];
            }[];
            /** @constant */
            platform: "onnx_onnxv1";
            versions: string[];
        };
        InferenceReply: {
            id?: string;
            model_name: string;
            model_version: string;
            outputs: {
                /** @description Nested as the shape says, or flat; integers to the digit. Absent where `parameters.binary_data_size` says how many bytes follow. */
                data?: unknown[];
                datatype: string;
                name: string;
                parameters?: {
                    [key: string]: string | number | boolean;
                };
                shape: number[];
            }[];
        };
        InferenceRequest: {
            id?: string;
            inputs: {
                /** @description Nested as the shape says, or flat; integers to the digit. Absent where `parameters.binary_data_size` says how many bytes follow. */
                data?: unknown[];
                datatype: string;
                name: string;
                parameters?: {
                    [key: string]: string | number | boolean;
                };
                shape: number[];
            }[];
            /** @description Those that are wanted; absent: all. */
            outputs?: {
                name: string;
                parameters?: {
                    [key: string]: string | number | boolean;
                };
            }[];
            parameters?: {
                [key: string]: string | number | boolean;
            };
        };
        InferenceServer: {
            extensions: string[];
            name: string;
            version: string;
        };
        Job: {
            /** @description Attempts finished so far. */
            attempts: number;
            cancel_requested: boolean;
            /** @description Seconds since the epoch, with fractions; so are all times here. */
            created_at: number;
            deadline: number | null;
            ended_at: number | null;
            endpoint: string;
            error: {
                code: string;
                message: string;
                traceback: string | null;
            } | null;
            /** @description Attempts that failed. */
            history: {
                code: string;
                duration_ms: number;
                kind: string;
                message: string;
                number: number;
                started_at: number;
                status_code: number | null;
                worker: string | null;
            }[];
            id: string;
            inference_time_ms: number | null;
            max_attempts: number | null;
            metadata: {
                [key: string]: string;
            } | null;
            /** @description `name@version`, as resolved when it was submitted. */
            model: string;
            next_attempt_at: number | null;
            /** @constant */
            object: "job";
            priority: number;
            queue_time_ms: number | null;
            request_id: string | null;
            /** @description The answer; only in the reply to a submission that waited for it. Else see `/result`. */
            result?: unknown;
            retry_of: string | null;
            /** @description It ran for longer than `soft_timeout_ms`. */
            slow: boolean;
            soft_timeout_ms: number | null;
            started_at: number | null;
            /** @enum {unknown} */
            status: "queued" | "running" | "waiting" | "completed" | "failed" | "dead_lettered" | "cancelled" | "expired";
            status_code: number | null;
            timeout_ms: number | null;
            usage: {
                input_tokens: number;
                input_tokens_details: {
                    cached_tokens: number;
                };
                output_tokens: number;
                output_tokens_details: {
                    reasoning_tokens: number;
                };
                total_tokens: number;
            } | null;
            /** @description Who submitted it. */
            user: string;
            worker: string | null;
        };
        KeyList: {
            data: {
                /** @description This request came with it, or with a session that was opened with it. */
                current: boolean;
                id: string;
                last_used_at: number | null;
                /** @constant */
                object: "key";
                /** @description Its first characters; of a short one, fewer. */
                prefix: string;
                /** @enum {unknown} */
                role: "admin" | "user";
                user: string;
            }[];
            /** @constant */
            object: "list";
        };
        LigandRecord: {
            affinity_members: {
                affinity_pred_value: number;
                affinity_probability_binary: number;
            }[] | null;
            affinity_pred_value: number | null;
            affinity_probability_binary: number | null;
            attempts: number;
            ccd: string | null;
            complex_pde: number | null;
            complex_plddt: number | null;
            confidence_score: number | null;
            error: {
                code: string;
                message: string;
            } | null;
            executor: string;
            ic50_um: number | null;
            id: string;
            inchikey: string | null;
            iptm: number | null;
            ligand_iptm: number | null;
            /** @description Its place, from 1. */
            line: number;
            model_version: string | null;
            msa: string | null;
            name: string | null;
            /** @constant */
            object: "screen.ligand";
            params: {
                [key: string]: unknown;
            } | null;
            pic50: number | null;
            plddt_path: string | null;
            pool: string | null;
            ptm: number | null;
            /** @description The request that ran it. */
            request: string;
            seconds: number | null;
            smiles_canonical: string | null;
            smiles_submitted: string | null;
            /**
             * @description Of its request.
             * @enum {unknown}
             */
            state: "queued" | "running" | "waiting" | "completed" | "failed" | "dead_lettered" | "cancelled" | "expired";
            /**
             * @description `invalid`: no molecule, or none the model takes. `oom`: it ran out of memory. `skipped`: cancelled or expired first.
             * @enum {unknown}
             */
            status: "queued" | "running" | "ok" | "invalid" | "failed" | "oom" | "skipped";
            structure_path: string | null;
            tool: {
                [key: string]: unknown;
            } | null;
            worker: string | null;
        };
        MatchedMolecules: {
            /** @description One for each, in order. */
            data: {
                /** @description From 0, as the molecules were given. */
                index: number;
                matches: boolean | null;
                scaffold: string | null;
                similarity: number | null;
            }[];
            matched: number;
            /** @constant */
            object: "list";
        };
        MatchMolecules: {
            /** @description Name the scaffold of Bemis and Murcko of each; default false. */
            scaffolds?: boolean;
            /** @description SMILES of the molecule that others are compared with. */
            similar_to?: string;
            /** @description What a molecule has to hold. */
            smarts?: string;
            /** @description SMILES, one a molecule. */
            smiles: string[];
            /** @description The least similarity; default 0. */
            threshold?: number;
        };
        Model: {
            /** @description Names that mean this version: `name@champion`. */
            aliases: string[];
            /** @description Seconds since the epoch; 0 for models that the configuration declares. */
            created: number;
            /** @description It comes from the configuration, is seen by everybody, and changes there only. */
            declared: boolean;
            /** @description Where it answers. */
            endpoints: string[];
            /** @description How it is run: `echo`, `onnx`, `openai`. */
            executor: string;
            file: {
                bytes: number;
                filename: string | null;
                /** @description SHA-256 of the content, in hex. */
                sha256: string;
            } | null;
            /** @description What `model` of a request says: `name` where the model is meant, which is its newest version; `name@version` where one version is. */
            id: string;
            latest: string | null;
            name: string;
            /** @constant */
            object: "model";
            /** @description The user who registered it; `sluice` for models that the configuration declares. */
            owned_by: string;
            reason: string | null;
            /** @enum {unknown} */
            status: "pending" | "uploaded" | "validating" | "ready" | "failed" | "archived";
            status_at: number | null;
            tags: string[];
            /** @description Semantic: `1.10.0`. Of a model: its newest, whatever its status. */
            version: string;
            /** @description How many the model has. */
            versions: number;
        };
        ModelAlias: {
            alias: string;
            model: string;
            /** @description Seconds since the epoch. */
            moved_at: number;
            moved_by: string;
            /** @constant */
            object: "model.alias";
            version: string | null;
        };
        ModelAliasMove: {
            /** @description Seconds since the epoch. */
            at: number;
            by: string;
            from: string | null;
            /** @constant */
            object: "model.alias_move";
            /** @description It took an earlier move back. */
            rollback: boolean;
            /** @description A later one took it back. */
            rolled_back: boolean;
            to: string | null;
        };
        ModelDetails: {
            /** @description Names that mean this version: `name@champion`. */
            aliases: string[];
            card: string | null;
            /** @description Seconds since the epoch; 0 for models that the configuration declares. */
            created: number;
            /** @description It comes from the configuration, is seen by everybody, and changes there only. */
            declared: boolean;
            /** @description Where it answers. */
            endpoints: string[];
            /** @description How it is run: `echo`, `onnx`, `openai`. */
            executor: string;
            file: {
                bytes: number;
                filename: string | null;
                /** @description SHA-256 of the content, in hex. */
                sha256: string;
            } | null;
            /** @description What `model` of a request says: `name` where the model is meant, which is its newest version; `name@version` where one version is. */
            id: string;
            inputs: components["schemas"]["ModelPort"][] | null;
            latest: string | null;
            metadata: Record<string, never> | null;
            name: string;
            /** @constant */
            object: "model";
            options: Record<string, never>;
            output_columns: {
                [key: string]: {
                    title?: string;
                    /** @description `log10(mol/L)`. */
                    unit?: string;
                };
            } | null;
            outputs: components["schemas"]["ModelPort"][] | null;
            /** @description The user who registered it; `sluice` for models that the configuration declares. */
            owned_by: string;
            ready_at: number | null;
            reason: string | null;
            report: components["schemas"]["ModelReport"] | null;
            schema: Record<string, never> | null;
            /** @enum {unknown} */
            status: "pending" | "uploaded" | "validating" | "ready" | "failed" | "archived";
            status_at: number | null;
            tags: string[];
            /** @description Semantic: `1.10.0`. Of a model: its newest, whatever its status. */
            version: string;
            /** @description How many the model has. */
            versions: number;
        };
        ModelPort: {
            batch_axis?: number | null;
            name: string;
            /** @description Its dimensions; a name, or the empty text, is one that varies. */
            shape: (number | string)[];
            /** @description Of its elements: `float32`, `int64`, `string`, `bool` and the like. */
            type: string;
        };
        ModelReport: {
            steps: {
                hint?: string | null;
                log?: string[];
                message?: string | null;
                ms: number;
                name: string;
                /** @enum {unknown} */
                status: "passed" | "failed" | "warning" | "skipped";
            }[];
        } & {
            [key: string]: unknown;
        };
        OpenAIFile: {
            bytes: number;
            /** @description Seconds since the epoch. */
            created_at: number;
            created_by: string;
            expires_at: number | null;
            filename: string;
            id: string;
            /** @constant */
            object: "file";
            /** @enum {unknown} */
            purpose: "assistants" | "batch" | "fine-tune" | "vision" | "user_data" | "evals" | "assistants_output" | "batch_output" | "fine-tune-results";
            /** @description SHA-256 of the content, in hex; also the ETag of the content. */
            sha256: string;
            /**
             * @description A file is there whole or not at all, so it is never anything else.
             * @constant
             */
            status: "processed";
            status_details: null;
        };
        Pool: {
            /** @description Workers that are ready. */
            actual: number;
            /** @description Queued requests for which one worker is asked. */
            backlog_ratio: number;
            decided_at: number | null;
            /** @description Workers the scheduler wants. */
            desired: number;
            gpu_memory_gb: number | null;
            maximum: number;
            memory_gb: number | null;
            minimum: number;
            name: string;
            /** @constant */
            object: "pool";
            preemptible: boolean;
            /** @description Per worker-hour. */
            price: number;
            /** @description Why so many are wanted. */
            reason: string;
            startup_seconds: number;
        };
        PortalAttention: {
            /** @description The worst first. */
            data: {
                /** @description There are more than `count`. */
                at_least: boolean;
                count: number | null;
                detail: string | null;
                /** @enum {unknown} */
                kind: "sla_missed" | "sla_at_risk" | "stalled" | "failure_spike" | "dead_letters" | "worker_lost" | "quota" | "dependency";
                /** @description Where a page goes from here: the screen, and the filter that its list takes. */
                link: {
                    filter: {
                        [key: string]: string;
                    };
                    id?: string;
                    /** @enum {unknown} */
                    screen: "batches" | "batch" | "dead-letters" | "workers" | "usage" | "models";
                };
                /** @enum {unknown} */
                severity: "critical" | "warning";
                since: number | null;
                title: string;
            }[];
            /** @description Seconds since the epoch, with fractions. The database's clock when this was read, at most ten seconds ago. */
            now: number;
            /** @constant */
            object: "portal.attention";
        };
        /** @description A row of the list: some 400 bytes at most, but for long names. */
        PortalBatch: {
            completed: number;
            /** @description Seconds since the epoch. */
            created_at: number;
            /** @description Seconds since the epoch. */
            deadline: number;
            ended_at: number | null;
            eta: number | null;
            failed: number;
            id: string;
            model: string | null;
            /** @description How many it has. */
            models: number;
            name: string | null;
            owner: string;
            pool: string | null;
            priority: number;
            /** @description Leased by workers. */
            running: number;
            sla: ("on_track" | "at_risk" | "met" | "breached") | null;
            started_at: number | null;
            /** @enum {unknown} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
            total: number;
        };
        /** @description How many batches have each value of a field, of those that all the other fields mean. */
        PortalBatchCounts: {
            /** @description The counts were drawn from the newest ten thousand that match; the total is the database’s estimate. */
            estimated: boolean;
            model: {
                count: number;
                value: string;
            }[];
            /** @constant */
            object: "portal.batch_counts";
            pool: {
                count: number;
                value: string;
            }[];
            priority: {
                count: number;
                value: string;
            }[];
            sla: {
                count: number;
                /** @enum {unknown} */
                value: "on_track" | "at_risk" | "met" | "breached";
            }[];
            /** @description All of them, zeros too. */
            status: {
                count: number;
                /** @enum {unknown} */
                value: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
            }[];
            total: number;
            user: {
                count: number;
                value: string;
            }[];
        };
        PortalBatchDetails: {
            id: string;
            /** @description Workers that answered some of it, or have some now; at most 200, those that did most. */
            lanes: {
                completed: number;
                failed: number;
                /** @description Seconds since the epoch, with fractions. */
                from: number;
                pool: string | null;
                running: number;
                /** @description Seconds since the epoch, with fractions. */
                to: number;
                worker: string;
            }[];
            /** @description What happened between, in order; interruptions at most the last fifty. */
            marks: {
                /** @description Seconds since the epoch, with fractions. */
                at: number;
                /** @enum {unknown} */
                kind: "first_answer" | "last_answer" | "given" | "escalated" | "returned" | "interrupted" | "milestone" | "deadline";
                text: string;
            }[];
            models: {
                completed: number;
                failed: number;
                model: string;
                queued: number;
                running: number;
                total: number;
            }[];
            /** @description Seconds since the epoch, with fractions. */
            now: number;
            /** @constant */
            object: "portal.batch_details";
            /** @description What was settled, from its start to its end or now, in sixty steps; empty before it started. */
            series: {
                at: number[];
                completed: number[];
                failed: number[];
                step_seconds: number;
            };
            stages: {
                /** @description Seconds since the epoch, with fractions. */
                from: number;
                /** @description So far. */
                seconds: number;
                /** @enum {unknown} */
                stage: "validating" | "running" | "finalizing" | "cancelling";
                to: number | null;
            }[];
            /** @description Requests by state: what the tabs of their table count. */
            states: {
                cancelled: number;
                completed: number;
                dead_lettered: number;
                expired: number;
                failed: number;
                queued: number;
                running: number;
                waiting: number;
            };
        };
        PortalBody: {
            bytes: number | null;
            /** @constant */
            object: "portal.body";
            /** @enum {unknown} */
            part: "input" | "output";
            text: string | null;
            truncated: boolean;
        };
        /** @description What a dashboard shows, from figures that are kept ready. */
        PortalOverview: {
            batches: {
                /** @description Of those in progress. */
                at_risk: number;
                cancelling: number;
                finalizing: number;
                in_progress: number;
                validating: number;
            };
            failed_24h: {
                failed: number;
                settled: number;
                share: number | null;
            };
            health: {
                message: string | null;
                ms: number | null;
                /** @description database, storage, scheduler, workers; redis where it is used. */
                name: string;
                /** @enum {unknown} */
                status: "ok" | "warning" | "error";
            }[];
            /** @description Those with something to do now or lately, the busiest first; at most 50. */
            models: {
                /** @description Requests that ran at once on average, over the same. */
                busy: number;
                model: string;
                /** @description Over the last five minutes that are over. */
                per_minute: number;
                queued: number;
                running: number;
                /** @description Ready workers that run it. */
                workers: number;
            }[];
            /** @description Seconds since the epoch, with fractions. The database's clock when this was read, at most a second or three ago. */
            now: number;
            /** @constant */
            object: "portal.overview";
            oldest_queued_seconds: number | null;
            /** @description Requests settled a minute, over the last five that are over. */
            per_minute: number;
            pools: {
                actual: number;
                busy: number;
                desired: number;
                name: string;
                preemptible: boolean;
            }[];
            queue_eta_seconds: number | null;
            /** @enum {unknown} */
            range: "1h" | "6h" | "24h" | "7d";
            requests: {
                queued: number;
                /** @description Leased by workers, jobs among them. */
                running: number;
                /** @description For a retry. */
                waiting: number;
            };
            /** @description Column by column, every step of the range. How long requests took: up to 15 % too high; null where none ran. */
            series: {
                at: number[];
                completed: number[];
                failed: number[];
                output_tokens: number[];
                p50_ms: (number | null)[];
                p95_ms: (number | null)[];
                step_seconds: number;
            };
            sla_7d: {
                breached: number;
                met: number;
                share: number | null;
            };
            /** @description Requests settled in each of the last 60 minutes; the last one is under way. */
            sparkline: number[];
            workers: {
                /** @description Of the ready ones, those that hold leases. */
                busy: number;
                draining: number;
                lost: number;
                ready: number;
                utilisation: number | null;
            };
        };
        /** @description A row of the table of requests; bodies are asked for one by one. */
        PortalRequest: {
            attempts: number;
            continued_by: string | null;
            custom_id: string | null;
            duration_ms: number | null;
            error: string | null;
            escalated: boolean;
            finished_at: number | null;
            id: string;
            line: number;
            message: string | null;
            model: string | null;
            original: string | null;
            output_bytes: number | null;
            pool: string | null;
            /** @enum {unknown} */
            state: "queued" | "running" | "waiting" | "completed" | "failed" | "dead_lettered" | "cancelled" | "expired";
            status_code: number | null;
            worker: string | null;
        };
        PortalSearch: {
            /** @description What the text is the id of first; else kind by kind, the newest first. */
            data: {
                batch_id: string | null;
                created_at: number | null;
                detail: string | null;
                /** @description The text is its id. */
                exact: boolean;
                id: string;
                /** @enum {unknown} */
                kind: "batch" | "request" | "file" | "job" | "model";
                line: number | null;
                status: string | null;
                title: string;
            }[];
            /** @constant */
            object: "list";
            /** @description What was looked through, in words. */
            searched: string;
        };
        /** @description Who a page speaks for, and what it needs to know of the server. */
        PortalSession: {
            config: {
                grafana_url: string | null;
                /** @description Updates a second that a page may show; 0: none by itself. */
                live_max_hz: number;
                pools: {
                    name: string;
                    preemptible: boolean;
                }[];
            };
            csrf_token: string | null;
            /** @description A place among the events of the tenant: `GET /v1/events?after=` it has all that happens after this answer. */
            event: string;
            expires_at: number | null;
            limits: {
                max_file_bytes: number;
                max_line_bytes: number;
                max_lines: number;
                max_model_bytes: number;
                /** @description OpenAI's own limits hold. */
                openai: boolean;
            };
            /** @description The server's clock: seconds since the epoch, with fractions. */
            now: number;
            /** @constant */
            object: "portal.session";
            /** @enum {unknown} */
            role: "admin" | "user";
            server: {
                name: string;
                version: string;
            };
            tenant: string;
            user: string;
        };
        PortalSettings: {
            /** @constant */
            object: "portal.settings";
            /** @description Whatever pages keep for a user, such as the tiles of the dashboard in their order; at most 32 kB. */
            settings: Record<string, never>;
            updated_at: number | null;
        };
        Prediction: {
            id: string;
            model: string;
            /** @constant */
            object: "prediction";
            /** @description Names and values, `{"logS": -0.1}`; a list of such where rows were asked for. */
            outputs: unknown;
            version: string;
        };
        PredictionRecord: {
            batch_ms: number | null;
            cache: ("hit" | "miss" | "bypass") | null;
            compute_ms: number | null;
            /** @description Seconds since the epoch, with fractions. */
            created_at: number;
            error: {
                code: string;
                message: string;
            } | null;
            /** @description When the record is deleted. */
            expires_at: number;
            /** @description As the answer had it; of one that failed, made for the record. */
            id: string;
            /** @description Only where the model keeps records in full, and one record is asked for. */
            input?: unknown;
            input_bytes: number | null;
            input_hash: string | null;
            /** @description `name@version`. */
            model: string;
            /** @constant */
            object: "prediction.record";
            output?: unknown;
            queue_ms: number | null;
            /** @description `x-request-id` of the call. */
            request_id: string;
            status_code: number;
            /** @description From the request to its answer. */
            total_ms: number;
            user: string;
        };
        QueriedResults: {
            columns: {
                name: string;
                /** @description DuckDB's. */
                type: string;
            }[];
            /** @constant */
            object: "batch.results.query";
            /** @description Whole numbers that JavaScript cannot hold are texts. */
            rows: unknown[][];
            /** @description There are more rows than `limit`, or more than 16 MB of them. */
            truncated: boolean;
        };
        QueryResults: {
            /** @description Rows of the answer; default 1,000. */
            limit?: number;
            /** @description One `select` over the table `results`, in DuckDB's SQL. */
            sql: string;
        };
        Request: {
            /** @description Attempts finished so far. */
            attempts: number;
            batch_id: string;
            continued_by: string | null;
            created_by: string;
            custom_id: string | null;
            dedup: {
                /**
                 * @description From the same batch, from another one, or from a request that is only similar.
                 * @enum {unknown}
                 */
                kind: "batch" | "cache" | "semantic";
                original: string | null;
                /** @description The cosine of both embeddings. */
                similarity?: number;
            } | null;
            duration_ms: number | null;
            endpoint: string;
            error: {
                code: string;
                message: string;
            } | null;
            escalated_at: number | null;
            finished_at: number | null;
            history: {
                code: string;
                duration_ms: number;
                kind: string;
                message: string;
                number: number;
                started_at: number;
                status_code: number | null;
                worker: string | null;
            }[];
            id: string;
            input: unknown | null;
            line: number;
            model: string | null;
            /** @description Where it was given to run, when it moved and why, oldest first. */
            moves: {
                at: number;
                /**
                 * @description `lost`, `drained`: its worker was, while it held the request; no attempt is charged. `larger`: it ran out of memory, and its next attempt is given to a pool with more of it.
                 * @enum {unknown}
                 */
                kind: "given" | "escalated" | "returned" | "lost" | "drained" | "larger";
                pool: string | null;
                reason: string;
                worker: string | null;
            }[];
            newest: unknown | null;
            /** @constant */
            object: "batch.request";
            output: unknown | null;
            pool: string | null;
            started_at: number | null;
            /** @enum {unknown} */
            state: "queued" | "running" | "waiting" | "completed" | "failed" | "dead_lettered" | "cancelled" | "expired";
            status_code: number | null;
            tenant: string;
            worker: string | null;
        };
        RequestSummary: {
            /** @description Attempts finished so far. */
            attempts: number;
            batch_id: string;
            continued_by: string | null;
            custom_id: string | null;
            dedup: {
                /**
                 * @description From the same batch, from another one, or from a request that is only similar.
                 * @enum {unknown}
                 */
                kind: "batch" | "cache" | "semantic";
                original: string | null;
                /** @description The cosine of both embeddings. */
                similarity?: number;
            } | null;
            duration_ms: number | null;
            error: {
                code: string;
                message: string;
            } | null;
            escalated_at: number | null;
            finished_at: number | null;
            id: string;
            line: number;
            model: string | null;
            /** @constant */
            object: "batch.request";
            pool: string | null;
            started_at: number | null;
            /** @enum {unknown} */
            state: "queued" | "running" | "waiting" | "completed" | "failed" | "dead_lettered" | "cancelled" | "expired";
            status_code: number | null;
            worker: string | null;
        };
        ResultColumn: {
            /** @description The key it has in the output file, where that is another than its name. */
            key?: string;
            /** @description The model it is of, where there are several. */
            model?: string;
            name: string;
            /**
             * @description `carried`: of the table that was sent; `output`: what a model computed.
             * @enum {unknown}
             */
            role: "line" | "custom_id" | "input" | "carried" | "status" | "model" | "output" | "error";
            /** @description As its model declares it. */
            title?: string;
            /** @enum {unknown} */
            type: "integer" | "number" | "boolean" | "text" | "json";
            /** @description As its model declares it. */
            unit?: string;
        };
        ResultsMolecules: {
            columns: components["schemas"]["ResultColumn"][];
            /** @description Rows whose molecule holds it, in the order asked for. */
            data: Record<string, never>[];
            /** @description Rows that were looked at for it. */
            looked: number;
            next_offset: number | null;
            /** @constant */
            object: "list";
            /** @description The row at which this answer began. */
            offset: number;
            /** @description Rows that the filter lets pass. */
            total: number;
            /** @description Of these, rows that have no molecule, or one that was too much for RDKit. */
            without: number;
        };
        ResultsPage: {
            columns: components["schemas"]["ResultColumn"][];
            data: Record<string, never>[];
            has_more: boolean;
            /** @constant */
            object: "list";
            offset: number;
            /** @description Rows that the filter lets pass. */
            total: number;
        };
        /** @description The table is being made: ask again. */
        ResultsPending: {
            /** @constant */
            object: "batch.results";
            /** @description Seconds. */
            retry_after: number;
            /** @enum {unknown} */
            state: "queued" | "building";
        };
        /** @description Points by column: the i-th of each belong together. */
        ResultsScatter: {
            colour?: (number | string | null)[];
            line: number[];
            /** @constant */
            object: "batch.results.scatter";
            sampled: boolean;
            /** @description Rows that the filter lets pass. */
            total: number;
            x: number[];
            y: number[];
        };
        ResultsSummary: {
            counts: {
                cancelled: number;
                completed: number;
                expired: number;
                failed: number;
            };
            failures: {
                code: string | null;
                count: number;
                example: {
                    line: number;
                    message: string | null;
                };
                status: string;
            }[];
            /** @constant */
            object: "batch.results.summary";
            properties: {
                /** @description Rows with a value. */
                count: number;
                highest: {
                    custom_id: string;
                    line: number;
                    value: number;
                }[];
                histogram: {
                    counts: number[];
                    /** @description One more than there are counts. */
                    edges: number[];
                };
                lowest: {
                    custom_id: string;
                    line: number;
                    value: number;
                }[];
                max: number | null;
                mean: number | null;
                min: number | null;
                missing: number;
                name: string;
                quantiles: {
                    p5: number | null;
                    p25: number | null;
                    p50: number | null;
                    p75: number | null;
                    p95: number | null;
                };
                /** @description Rows the quantiles are of: about 100,000, always the same ones, where there are more than 200,000. */
                quantiles_of: number;
                /** @description Of the sample: null with fewer than two values. */
                sd: number | null;
                unit: string | null;
            }[];
            /** @description That the filter lets pass. */
            rows: number;
        };
        /** @description The table of results of a batch, and how far it is. */
        ResultsTable: {
            batch_id: string;
            built_at: number | null;
            bytes: number | null;
            columns: components["schemas"]["ResultColumn"][];
            /** @constant */
            object: "batch.results";
            reason: string | null;
            rows: number | null;
            sha256: string | null;
            /** @enum {unknown} */
            state: "none" | "queued" | "building" | "ready" | "failed" | "expired";
        };
        ResultsTop: {
            columns: components["schemas"]["ResultColumn"][];
            data: {
                rank: number;
                /** @description Values by the names of the columns. */
                row: Record<string, never>;
                scaffold?: string | null;
                /** @description Of the property, or of the objective. */
                value: number;
            }[];
            /** @constant */
            object: "list";
        };
        Route: {
            created_at: number | null;
            created_by: string | null;
            /** @description The configuration declares it; it is changed there only. */
            declared: boolean;
            models: {
                /** @description `name`, `name@version` or `name@alias`. */
                model: string;
                resolved: string | null;
                /** @description Whether it is recommended now. */
                valid: boolean;
                valid_from: number | null;
                valid_until: number | null;
                /** @description How much its answer counts beside those of the others. Default 1. */
                weight: number;
            }[];
            note: string | null;
            /** @constant */
            object: "route";
            series: string | null;
            target: string;
            updated_at: number | null;
            updated_by: string | null;
        };
        RouteChange: {
            /** @description Seconds since the epoch. */
            at: number;
            by: string;
            from: {
                /** @description `name`, `name@version` or `name@alias`. */
                model: string;
                valid_from: number | null;
                valid_until: number | null;
                /** @description How much its answer counts beside those of the others. Default 1. */
                weight: number;
            }[] | null;
            note: string | null;
            /** @constant */
            object: "route.change";
            to: {
                /** @description `name`, `name@version` or `name@alias`. */
                model: string;
                valid_from: number | null;
                valid_until: number | null;
                /** @description How much its answer counts beside those of the others. Default 1. */
                weight: number;
            }[] | null;
        };
        RouteOptions: {
            /** @description Usual ones; any other of `15m`, `6h`, `7d` can be asked for. */
            completion_windows: string[];
            limits: {
                max_file_bytes: number;
                max_line_bytes: number;
                /** @description Lines or rows of one batch. */
                max_lines: number;
                /** @description Models of one batch. */
                max_models: number;
            };
            models: {
                endpoints: string[];
                executor: string;
                /** @description What `model` of a batch says. */
                id: string;
                name: string;
                version: string;
            }[];
            /** @constant */
            object: "route.options";
            output_formats: string[];
            priorities: string[];
            targets: {
                /** @description Whether other series, or none, can be asked for too. */
                any_series: boolean;
                /** @description `name@version` of the route without a series, as a batch would run it now. */
                models: string[];
                /** @description Those that have a route of their own. */
                series: string[];
                target: string;
            }[];
        };
        RunningWork: {
            /** @description By worker; at most 1,000. */
            data: {
                id: string | null;
                /** @enum {unknown} */
                kind: "batch" | "job";
                leases: number;
                /** @description Its worker is gone; the work goes back to the queue when the lease ends. */
                lost: boolean;
                model: string | null;
                name: string | null;
                /** @constant */
                object: "worker.work";
                pool: string;
                requests: number;
                since: number | null;
                /** @description When the lease ends if it is not renewed. */
                until: number;
                worker: string;
            }[];
            /** @description Seconds since the epoch, with fractions. */
            now: number;
            /** @constant */
            object: "list";
        };
        Screen: {
            affinity: boolean;
            /** @description Seconds since the epoch. */
            created_at: number;
            created_by: string;
            ended_at: number | null;
            /** @description Seconds since the epoch. */
            expires_at: number;
            /** @description Of its batch: a screen is one, and all that batches have, it has. */
            id: string;
            /** @description Of these, known not to run when it was created. */
            invalid: number;
            ligands: number;
            max_concurrent: number | null;
            metadata: {
                [key: string]: string;
            } | null;
            model: string;
            name: string | null;
            /** @constant */
            object: "screen";
            parameters: {
                [key: string]: unknown;
            };
            proteins: {
                id: string[];
                msa: boolean;
                residues: number;
            }[];
            request_counts: {
                cancelled: number;
                completed: number;
                expired: number;
                /** @description Requests that failed, dead-lettered ones included; cancelled and expired ones are not. */
                failed: number;
                total: number;
            };
            results: {
                artifacts: components["schemas"]["Artifact"][];
                error: string | null;
                /**
                 * @description `ready` soon after the batch has ended.
                 * @enum {unknown}
                 */
                status: "pending" | "ready" | "failed";
            };
            /** @enum {unknown} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
            summary: components["schemas"]["ScreenSummary"] | null;
        };
        ScreenChild: {
            affinity_members: {
                affinity_pred_value: number;
                affinity_probability_binary: number;
            }[] | null;
            affinity_pred_value: number | null;
            affinity_probability_binary: number | null;
            /** @description Files of its newest attempt. */
            artifacts: components["schemas"]["Artifact"][];
            attempts: number;
            ccd: string | null;
            complex_pde: number | null;
            complex_plddt: number | null;
            confidence_score: number | null;
            error: {
                code: string;
                message: string;
            } | null;
            executor: string;
            ic50_um: number | null;
            id: string;
            inchikey: string | null;
            iptm: number | null;
            ligand_iptm: number | null;
            /** @description Its place, from 1. */
            line: number;
            model_version: string | null;
            msa: string | null;
            name: string | null;
            /** @constant */
            object: "screen.ligand";
            params: {
                [key: string]: unknown;
            } | null;
            pic50: number | null;
            plddt_path: string | null;
            pool: string | null;
            ptm: number | null;
            /** @description The request that ran it. */
            request: string;
            seconds: number | null;
            smiles_canonical: string | null;
            smiles_submitted: string | null;
            /**
             * @description Of its request.
             * @enum {unknown}
             */
            state: "queued" | "running" | "waiting" | "completed" | "failed" | "dead_lettered" | "cancelled" | "expired";
            /**
             * @description `invalid`: no molecule, or none the model takes. `oom`: it ran out of memory. `skipped`: cancelled or expired first.
             * @enum {unknown}
             */
            status: "queued" | "running" | "ok" | "invalid" | "failed" | "oom" | "skipped";
            structure_path: string | null;
            tool: {
                [key: string]: unknown;
            } | null;
            worker: string | null;
        };
        ScreenSummary: {
            by_status: {
                [key: string]: number;
            };
            failures: {
                code: string;
                count: number;
                example: string;
            }[];
            ligands: number;
            statistics: {
                [key: string]: {
                    count: number;
                    max: number;
                    mean: number;
                    median: number;
                    min: number;
                    q25: number;
                    q75: number;
                } | null;
            };
            top_by_pic50: {
                affinity_probability_binary: number | null;
                id: string;
                ligand_iptm: number | null;
                line: number;
                name: string | null;
                pic50: number | null;
                rank: number;
            }[];
            top_by_probability: {
                affinity_probability_binary: number | null;
                id: string;
                ligand_iptm: number | null;
                line: number;
                name: string | null;
                pic50: number | null;
                rank: number;
            }[];
        };
        Upload: {
            bytes: number;
            /** @description Seconds since the epoch. */
            created_at: number;
            /** @description Seconds since the epoch. */
            expires_at: number;
            file: components["schemas"]["OpenAIFile"] | null;
            filename: string;
            id: string;
            /** @constant */
            object: "upload";
            /** @enum {unknown} */
            purpose: "assistants" | "batch" | "fine-tune" | "vision" | "user_data" | "evals";
            /** @enum {unknown} */
            status: "pending" | "completed" | "cancelled" | "expired";
        };
        UploadPart: {
            /** @description Seconds since the epoch. */
            created_at: number;
            id: string;
            /** @constant */
            object: "upload.part";
            upload_id: string;
        };
        UsageReport: {
            global: {
                batches: {
                    limit: number | null;
                    used: number;
                };
                in_flight: {
                    limit: number | null;
                    used: number;
                };
                queued_bytes: {
                    limit: number | null;
                    used: number;
                };
                queued_requests: {
                    limit: number | null;
                    used: number;
                };
            };
            /** @constant */
            object: "usage";
            tenant: {
                batches: {
                    limit: number | null;
                    used: number;
                };
                in_flight: {
                    limit: number | null;
                    used: number;
                };
                name: string;
                queued_bytes: {
                    limit: number | null;
                    used: number;
                };
                queued_requests: {
                    limit: number | null;
                    used: number;
                };
            };
            user: {
                batches: {
                    limit: number | null;
                    used: number;
                };
                in_flight: {
                    limit: number | null;
                    used: number;
                };
                name: string;
                queued_bytes: {
                    limit: number | null;
                    used: number;
                };
                queued_requests: {
                    limit: number | null;
                    used: number;
                };
            };
        };
        View: {
            /** @description Seconds since the epoch. */
            created_at: number;
            id: string;
            mine: boolean;
            name: string;
            /** @constant */
            object: "view";
            owner: string;
            /** @description The parameters of the page’s address: filter, sort, columns. */
            query: {
                [key: string]: string;
            };
            screen: string;
            /** @description Everybody of the tenant sees it. */
            shared: boolean;
            /** @description What an address calls it: `?view=slug`. It stays when the name changes. */
            slug: string;
            /** @description Seconds since the epoch. */
            updated_at: number;
        };
        Worker: {
            held_bytes: number | null;
            host: string;
            id: string;
            /** @enum {unknown} */
            kind: "spot" | "dedicated";
            /** @description Chunks it holds. */
            leases: number;
            /** @description Versions it has in memory, of those that the key sees. */
            loaded: {
                /** @description Of its processes; 0 where it has none of its own. */
                held_bytes: number;
                model: string;
                rate: number | null;
            }[];
            /** @description Versions of other tenants that it has in memory. */
            loaded_others: number;
            /** @description Versions it can run, of those that the key sees. */
            models: string[];
            /** @constant */
            object: "worker";
            pid: number;
            pool: string;
            /** @description Requests in them that have not settled. */
            requests: number;
            seen_at: number;
            started_at: number;
            /**
             * @description `lost`: not heard of for longer than a lease.
             * @enum {unknown}
             */
            state: "ready" | "draining" | "stopped" | "lost";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getAnalytics: {
        parameters: {
            query?: {
                /** @description Seconds since the epoch; default 30 days ago. */
                from?: number;
                /** @description Not included; default now. */
                to?: number;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Analytics"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listArchives: {
        parameters: {
            query?: {
                /** @description The `last_id` of the page before. */
                after?: string;
                limit?: number;
                /** @description Only those of this user. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Archived"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listArchivedFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            bytes: number;
                            content_type: string;
                            /** @example results/batch_results.csv */
                            path: string;
                            sha256: string;
                        }[];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteArchive: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                        /** @constant */
                        object: "archive";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getArchivedFile: {
        parameters: {
            query: {
                /** @description As the list has it. */
                path: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Download an archived file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBatches: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
                /** @description The batches of this one of several models; absent: all that are part of none. */
                parent?: string;
                /** @description One status, or several with commas between. */
                status?: string;
                /** @description Only batches of this user. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Batch"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createBatch: {
        parameters: {
            query?: {
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    columns?: {
                        [key: string]: string | string[];
                    } | null;
                    /** @description How long the batch may take: `15m`, `24h`, `7d`. */
                    completion_window: string;
                    dedup?: ("off" | "exact" | "semantic") | null;
                    dedup_sampled?: boolean | null;
                    /**
                     * @description Required, unless there is a `model`, `models` or a `route`: then it is `/v1/predict` where it is absent.
                     * @enum {unknown}
                     */
                    endpoint?: "/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict";
                    /** @description Requests, or a table (csv, tsv, parquet, sdf, a list of SMILES, rows of JSON; gzip and zstd too). One of `input_file_id`, `rows` and `source`. */
                    input_file_id?: string;
                    invalid?: ("skip" | "refuse") | null;
                    lane?: ("interactive" | "bulk") | null;
                    max_attempts?: number | null;
                    max_concurrent?: number | null;
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    model?: string | null;
                    models?: string[] | null;
                    name?: string | null;
                    output_expires_after?: {
                        /** @constant */
                        anchor: "created_at";
                        seconds: number;
                    } | null;
                    pool?: string | null;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                    route?: {
                        series?: string | null;
                        target: string;
                    } | null;
                    /** @description A table in the request itself: an object a row. */
                    rows?: {
                        [key: string]: unknown;
                    }[];
                    /** @description Where the input is copied from, before anything runs; it becomes the file `input_file_id`. */
                    source?: {
                        /** @description `https://…` or `s3://bucket/key`. */
                        url: string;
                    };
                    strategy?: ("parallel" | "sequential" | "resource_aware" | "adaptive") | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"] | components["schemas"]["DryRun"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                        /** @constant */
                        object: "batch";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    updateBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description The new window, counted from the creation. */
                    completion_window?: string;
                    /** @description The new `expires_at`, in seconds since the epoch. */
                    deadline?: number;
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    name?: string | null;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBatchArtifacts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Artifact"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchArtifact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                /** @description As the list has it: `structure.cif`. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Download a file of a batch as a whole. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancelBatch: {
        parameters: {
            query?: {
                mode?: "stop" | "abort";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @enum {unknown} */
                    mode?: "stop" | "abort";
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBatchChildren: {
        parameters: {
            query?: {
                /** @description The `last_id` of the page before. */
                after?: string;
                limit?: number;
                /** @description Only ligands of this status. */
                status?: "queued" | "running" | "ok" | "invalid" | "failed" | "oom" | "skipped";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ScreenChild"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    } | {
                        data: components["schemas"]["Batch"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cloneBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    columns?: {
                        [key: string]: string | string[];
                    } | null;
                    /** @description How long the batch may take: `15m`, `24h`, `7d`. */
                    completion_window?: string;
                    dedup?: ("off" | "exact" | "semantic") | null;
                    dedup_sampled?: boolean | null;
                    /**
                     * @description Required, unless there is a `model`, `models` or a `route`: then it is `/v1/predict` where it is absent.
                     * @enum {unknown}
                     */
                    endpoint?: "/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict";
                    /** @description Requests, or a table (csv, tsv, parquet, sdf, a list of SMILES, rows of JSON; gzip and zstd too). One of `input_file_id`, `rows` and `source`. */
                    input_file_id?: string;
                    invalid?: ("skip" | "refuse") | null;
                    lane?: ("interactive" | "bulk") | null;
                    max_attempts?: number | null;
                    max_concurrent?: number | null;
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    model?: string | null;
                    models?: string[] | null;
                    name?: string | null;
                    output_expires_after?: {
                        /** @constant */
                        anchor: "created_at";
                        seconds: number;
                    } | null;
                    pool?: string | null;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                    route?: {
                        series?: string | null;
                        target: string;
                    } | null;
                    /** @description A table in the request itself: an object a row. */
                    rows?: {
                        [key: string]: unknown;
                    }[];
                    /** @description Where the input is copied from, before anything runs; it becomes the file `input_file_id`. */
                    source?: {
                        /** @description `https://…` or `s3://bucket/key`. */
                        url: string;
                    };
                    strategy?: ("parallel" | "sequential" | "resource_aware" | "adaptive") | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchErrors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The error lines so far. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    streamBatchEvents: {
        parameters: {
            query?: {
                /** @description Start after this number; like the header Last-Event-ID. */
                after?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stream a batch’s events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    explainBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchExplanation"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBatchFailures: {
        parameters: {
            query?: {
                /** @description Causes; default 20. */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchFailures"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchOutput: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The result lines so far. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    repairBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchRepair"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBatchRequests: {
        parameters: {
            query?: {
                /** @description The id of the last request of the page before. */
                after?: string;
                limit?: number;
                /** @description Start at this line. */
                line?: number;
                /** @description One state, or several with commas between. */
                state?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["RequestSummary"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listRequestArtifacts: {
        parameters: {
            query?: {
                /** @description Of this attempt; absent: of the newest that left files. */
                attempt?: number;
            };
            header?: never;
            path: {
                id: string;
                /** @description The line of the request, from 1. */
                line: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Artifact"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRequestArtifact: {
        parameters: {
            query?: {
                /** @description Of this attempt; absent: of the newest that left files. */
                attempt?: number;
            };
            header?: never;
            path: {
                id: string;
                /** @description The line of the request, from 1. */
                line: number;
                /** @description As the list has it: `structure.cif`. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Download a file that a request left. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchResults: {
        parameters: {
            query?: {
                /** @description Names with commas between, in the order wanted; absent: all. */
                columns?: string;
                /** @description Default jsonl. */
                format?: "jsonl" | "csv" | "tsv" | "parquet" | "sdf";
                /** @description csv and tsv: whether text that a spreadsheet would run as a formula gets an apostrophe before it (the default) or stays as it is. */
                formulas?: "escape" | "keep";
                limit?: number;
                /** @description Rows to leave out at the beginning. */
                offset?: number;
                /** @description Only rows whose molecule holds this. All that the filter lets pass are looked through before the first byte. */
                smarts?: string;
                /** @description Names with commas between, falling behind a minus: `-logS,custom_id`. Rows without a value come last. */
                sort?: string;
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
                /** @description Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes. */
                where?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Download the results as a table. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    findBatchResultsMolecules: {
        parameters: {
            query: {
                /** @description Names with commas between, in the order wanted; absent: all. */
                columns?: string;
                /** @description Default 50. */
                limit?: number;
                /** @description Rows to leave out at the beginning. */
                offset?: number;
                /** @description What the molecules hold. */
                smarts: string;
                /** @description Names with commas between, falling behind a minus: `-logS,custom_id`. Rows without a value come last. */
                sort?: string;
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
                /** @description Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes. */
                where?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsMolecules"];
                };
            };
            /** @description The table is being made: ask again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPending"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchResultsPage: {
        parameters: {
            query?: {
                /** @description Names with commas between, in the order wanted; absent: all. */
                columns?: string;
                /** @description Default 50. */
                limit?: number;
                /** @description Rows to leave out at the beginning. */
                offset?: number;
                /** @description Names with commas between, falling behind a minus: `-logS,custom_id`. Rows without a value come last. */
                sort?: string;
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
                /** @description Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes. */
                where?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPage"];
                };
            };
            /** @description The table is being made: ask again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPending"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    queryBatchResults: {
        parameters: {
            query?: {
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryResults"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueriedResults"];
                };
            };
            /** @description The table is being made: ask again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPending"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchResultsScatter: {
        parameters: {
            query: {
                /** @description A third column, of any type. */
                colour?: string;
                /** @description At most; default 50,000. Where there are more, the same ones are chosen each time. */
                points?: number;
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
                /** @description Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes. */
                where?: string;
                x: string;
                y: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Points by column: the i-th of each belong together. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsScatter"];
                };
            };
            /** @description The table is being made: ask again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPending"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchResultsSummary: {
        parameters: {
            query?: {
                /** @description Columns of numbers, with commas between; absent: what the models computed. */
                properties?: string;
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
                /** @description Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes. */
                where?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsSummary"];
                };
            };
            /** @description The table is being made: ask again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPending"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchResultsTable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The table of results of a batch, and how far it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsTable"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBatchResultsTop: {
        parameters: {
            query?: {
                /** @description Names with commas between; absent: all. */
                columns?: string;
                /** @description Only the best row of each Bemis-Murcko scaffold. Looks at the best 20 × n rows, 5,000 at most. */
                diverse?: "scaffold";
                /** @description Default 10. */
                n?: number;
                /** @description Instead of `property`: properties with weights, `logS:1,p_bbb:-0.5`. Values are brought to mean 0 and standard deviation 1 over the filtered rows, weighted and added. */
                objective?: string;
                /** @description Of `property`: `desc` (the default) has the largest first. */
                order?: "desc" | "asc";
                /** @description The column of numbers to rank by. */
                property?: string;
                /** @description Seconds to wait for the table where it is being made; default 10. */
                wait?: number;
                /** @description Which rows: `logS>-2,status=completed`. Conditions with commas between, all of which must hold: `=` `!=` (several values with `|` between; `null`), `>` `>=` `<` `<=`, `~` (holds this text, whatever its case) `!~`. Names and values may stand in double quotes. */
                where?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsTop"];
                };
            };
            /** @description The table is being made: ask again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResultsPending"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retryBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Only requests that failed with one of these codes. */
                    codes?: string[];
                    completion_window?: string;
                    lines?: number[];
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    name?: string | null;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                    states?: ("failed" | "dead_lettered" | "cancelled" | "expired")[];
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    previewBatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    columns?: {
                        [key: string]: string | string[];
                    } | null;
                    /** @description How long the batch may take: `15m`, `24h`, `7d`. */
                    completion_window: string;
                    dedup?: ("off" | "exact" | "semantic") | null;
                    dedup_sampled?: boolean | null;
                    /**
                     * @description Required, unless there is a `model`, `models` or a `route`: then it is `/v1/predict` where it is absent.
                     * @enum {unknown}
                     */
                    endpoint?: "/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict";
                    /** @description Requests, or a table (csv, tsv, parquet, sdf, a list of SMILES, rows of JSON; gzip and zstd too). One of `input_file_id`, `rows` and `source`. */
                    input_file_id?: string;
                    invalid?: ("skip" | "refuse") | null;
                    lane?: ("interactive" | "bulk") | null;
                    max_attempts?: number | null;
                    max_concurrent?: number | null;
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    model?: string | null;
                    models?: string[] | null;
                    name?: string | null;
                    output_expires_after?: {
                        /** @constant */
                        anchor: "created_at";
                        seconds: number;
                    } | null;
                    pool?: string | null;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                    route?: {
                        series?: string | null;
                        target: string;
                    } | null;
                    /** @description A table in the request itself: an object a row. */
                    rows?: {
                        [key: string]: unknown;
                    }[];
                    /** @description Where the input is copied from, before anything runs; it becomes the file `input_file_id`. */
                    source?: {
                        /** @description `https://…` or `s3://bucket/key`. */
                        url: string;
                    };
                    strategy?: ("parallel" | "sequential" | "resource_aware" | "adaptive") | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchPreview"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBulkOperations: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
                status?: "queued" | "running" | "stopping" | "stopped" | "completed" | "failed";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["BulkOperation"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createBulkOperation: {
        parameters: {
            query?: {
                preview?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Batches take all of them, requests `retry` and `redrive`. A redrive runs dead letters again, a retry whatever went wrong.
                     * @enum {unknown}
                     */
                    action: "cancel" | "retry" | "redrive" | "priority" | "deadline";
                    /** @description What came later is left alone: the `as_of` of a preview makes it hold for the run. Default now. */
                    as_of?: number;
                    /** @description Ids to leave out of the filter. */
                    exclude?: string[];
                    filter?: {
                        /** @description Of requests: those of this batch; of one over several models, those of its batches. */
                        batch?: string;
                        /** @description Of requests: their cause, as `GET /v1/dead_letters?group=cause` names it. */
                        cause?: string;
                        /** @description Of requests: the code they ended with. */
                        code?: string;
                        /**
                         * @description Of batches.
                         * @enum {unknown}
                         */
                        endpoint?: "/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict";
                        /** @description Of batches: words in the code or cause of a failure. */
                        error?: string;
                        /** @description Of batches: those that have these pairs. */
                        metadata?: {
                            [key: string]: string;
                        };
                        /** @description `name`, or `name@version`; of batches, several may be named. */
                        model?: string | string[];
                        /** @description Of batches: pools they asked for, or were given to last. */
                        pool?: string[];
                        /** @description Of batches. */
                        priority?: number[];
                        /** @description Of batches: beginnings of words in name and metadata, or of an id. Of requests: text in the message. In upper or lower case. */
                        q?: string;
                        /** @description Batches created, or requests ended, at this second or later. */
                        since?: number;
                        /** @description Of batches: how their promises stand. */
                        sla?: ("on_track" | "at_risk" | "met" | "breached")[];
                        /** @description Of requests. A retry takes all but the cancelled ones where it is not said; a redrive takes dead letters only. */
                        state?: ("failed" | "dead_lettered" | "cancelled" | "expired")[];
                        /** @description Of batches. */
                        status?: ("validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled")[];
                        /** @description Batches created, or requests ended, before this second. */
                        until?: number;
                        /** @description Batches this user made, or their requests; of batches, several may be named. */
                        user?: string | string[];
                    };
                    ids?: string[];
                    /** @enum {unknown} */
                    on: "batches" | "requests";
                    options?: {
                        /** @description Retry, redrive: also what a continuation runs again already. */
                        again?: boolean;
                        /** @description Retry, redrive: of the continuations. Deadline: the new one, counted from the creation. */
                        completion_window?: string;
                        /** @description The new `expires_at`, in seconds since the epoch. */
                        deadline?: number;
                        /**
                         * @description Cancel: `stop` (the default) lets finish what is under way.
                         * @enum {unknown}
                         */
                        mode?: "stop" | "abort";
                        /** @description At most so many batches, or requests, a second; default: no limit. */
                        per_second?: number;
                        /** @description normal = 1, medium = 5, high = 10, or a number from 0 to 100; more is sooner. Where it is absent, `metadata.priority` counts in the same words or numbers; any other word there is yours, and means nothing here. */
                        priority?: number | ("normal" | "medium" | "high");
                    };
                    reason?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"] | components["schemas"]["BulkPreview"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getBulkOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listBulkItems: {
        parameters: {
            query?: {
                /** @description The id of the last item of the page before. */
                after?: string;
                limit?: number;
                outcome?: "skipped" | "failed";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["BulkItem"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    stopBulkOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    previewBulkOperation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Batches take all of them, requests `retry` and `redrive`. A redrive runs dead letters again, a retry whatever went wrong.
                     * @enum {unknown}
                     */
                    action: "cancel" | "retry" | "redrive" | "priority" | "deadline";
                    /** @description What came later is left alone: the `as_of` of a preview makes it hold for the run. Default now. */
                    as_of?: number;
                    /** @description Ids to leave out of the filter. */
                    exclude?: string[];
                    filter?: {
                        /** @description Of requests: those of this batch; of one over several models, those of its batches. */
                        batch?: string;
                        /** @description Of requests: their cause, as `GET /v1/dead_letters?group=cause` names it. */
                        cause?: string;
                        /** @description Of requests: the code they ended with. */
                        code?: string;
                        /**
                         * @description Of batches.
                         * @enum {unknown}
                         */
                        endpoint?: "/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict";
                        /** @description Of batches: words in the code or cause of a failure. */
                        error?: string;
                        /** @description Of batches: those that have these pairs. */
                        metadata?: {
                            [key: string]: string;
                        };
                        /** @description `name`, or `name@version`; of batches, several may be named. */
                        model?: string | string[];
                        /** @description Of batches: pools they asked for, or were given to last. */
                        pool?: string[];
                        /** @description Of batches. */
                        priority?: number[];
                        /** @description Of batches: beginnings of words in name and metadata, or of an id. Of requests: text in the message. In upper or lower case. */
                        q?: string;
                        /** @description Batches created, or requests ended, at this second or later. */
                        since?: number;
                        /** @description Of batches: how their promises stand. */
                        sla?: ("on_track" | "at_risk" | "met" | "breached")[];
                        /** @description Of requests. A retry takes all but the cancelled ones where it is not said; a redrive takes dead letters only. */
                        state?: ("failed" | "dead_lettered" | "cancelled" | "expired")[];
                        /** @description Of batches. */
                        status?: ("validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled")[];
                        /** @description Batches created, or requests ended, before this second. */
                        until?: number;
                        /** @description Batches this user made, or their requests; of batches, several may be named. */
                        user?: string | string[];
                    };
                    ids?: string[];
                    /** @enum {unknown} */
                    on: "batches" | "requests";
                    options?: {
                        /** @description Retry, redrive: also what a continuation runs again already. */
                        again?: boolean;
                        /** @description Retry, redrive: of the continuations. Deadline: the new one, counted from the creation. */
                        completion_window?: string;
                        /** @description The new `expires_at`, in seconds since the epoch. */
                        deadline?: number;
                        /**
                         * @description Cancel: `stop` (the default) lets finish what is under way.
                         * @enum {unknown}
                         */
                        mode?: "stop" | "abort";
                        /** @description At most so many batches, or requests, a second; default: no limit. */
                        per_second?: number;
                        /** @description normal = 1, medium = 5, high = 10, or a number from 0 to 100; more is sooner. Where it is absent, `metadata.priority` counts in the same words or numbers; any other word there is yours, and means nothing here. */
                        priority?: number | ("normal" | "medium" | "high");
                    };
                    reason?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkPreview"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getCacheMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheFigures"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    resetCache: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheReset"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    reportCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accepted: boolean;
                        /** @constant */
                        object: "callback";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createChatCompletion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description As OpenAI describes the endpoint; all of it goes to the upstream, but for the name of the model. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description `name`, `name@version` or `name@alias`. */
                    model: string;
                    /** @description Answer with Server-Sent Events, as the model produces them. */
                    stream?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Chat. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getCompletion: {
        parameters: {
            query?: {
                /** @description Batches looked at, oldest first; default 100. */
                limit?: number;
                /** @description Without progress for longer, a batch is stalled; default 10. */
                stalled_minutes?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Completion"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    repairCompletion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Those of them for which something was done. */
                        data: components["schemas"]["BatchRepair"][];
                        /** @description Open batches of the tenant. */
                        looked_at: number;
                        /** @constant */
                        object: "completion.repair";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createCompletion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description As OpenAI describes the endpoint; all of it goes to the upstream, but for the name of the model. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description `name`, `name@version` or `name@alias`. */
                    model: string;
                    /** @description Answer with Server-Sent Events, as the model produces them. */
                    stream?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Complete a text. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                /** @description The id of the last one of the page before. */
                after?: string;
                /** @description Only requests of this batch. */
                batch?: string;
                /** @description Only requests that died of this cause, as `group=cause` names it. */
                cause?: string;
                /** @description Only requests that died with this code. */
                code?: string;
                /** @description Count by code and cause instead, the most frequent first. */
                group?: "cause";
                limit?: number;
                /** @description `name`, or `name@version`. */
                model?: string;
                /** @description Only requests whose message holds this text, in upper or lower case. */
                q?: string;
                /** @description Died at this second or later. */
                since?: number;
                /** @description Default `open`: neither redriven nor discarded. */
                status?: "open" | "redriven" | "discarded" | "all";
                /** @description Died before this second. */
                until?: number;
                /** @description Only requests of batches this user made. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["DeadLetter"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    } | components["schemas"]["DeadLetterCauses"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    discardDeadLetters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description What came later is left alone: the `as_of` of a preview makes it hold for the run. Default now. */
                    as_of?: number;
                    /** @description Ids to leave out of the filter. */
                    exclude?: string[];
                    filter?: {
                        /** @description Only requests of this batch. */
                        batch?: string;
                        /** @description Only requests that died of this cause, as `group=cause` names it. */
                        cause?: string;
                        /** @description Only requests that died with this code. */
                        code?: string;
                        /** @description `name`, or `name@version`. */
                        model?: string;
                        /** @description Only requests whose message holds this text, in upper or lower case. */
                        q?: string;
                        /** @description Died at this second or later. */
                        since?: number;
                        /** @description Died before this second. */
                        until?: number;
                        /** @description Only requests of batches this user made. */
                        user?: string;
                    };
                    ids?: string[];
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DiscardedDeadLetters"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    downloadDeadLetters: {
        parameters: {
            query?: {
                /** @description Only requests of this batch. */
                batch?: string;
                /** @description Only requests that died of this cause, as `group=cause` names it. */
                cause?: string;
                /** @description Only requests that died with this code. */
                code?: string;
                /** @description `name`, or `name@version`. */
                model?: string;
                /** @description Only requests whose message holds this text, in upper or lower case. */
                q?: string;
                /** @description Died at this second or later. */
                since?: number;
                /** @description Default `open`: neither redriven nor discarded. */
                status?: "open" | "redriven" | "discarded" | "all";
                /** @description Died before this second. */
                until?: number;
                /** @description Only requests of batches this user made. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Dead letters with what was sent, one JSON object a line. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    redriveDeadLetters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description What came later is left alone: the `as_of` of a preview makes it hold for the run. Default now. */
                    as_of?: number;
                    /** @description Ids to leave out of the filter. */
                    exclude?: string[];
                    filter?: {
                        /** @description Only requests of this batch. */
                        batch?: string;
                        /** @description Only requests that died of this cause, as `group=cause` names it. */
                        cause?: string;
                        /** @description Only requests that died with this code. */
                        code?: string;
                        /** @description `name`, or `name@version`. */
                        model?: string;
                        /** @description Only requests whose message holds this text, in upper or lower case. */
                        q?: string;
                        /** @description Died at this second or later. */
                        since?: number;
                        /** @description Died before this second. */
                        until?: number;
                        /** @description Only requests of batches this user made. */
                        user?: string;
                    };
                    ids?: string[];
                    options?: {
                        /** @description Retry, redrive: also what a continuation runs again already. */
                        again?: boolean;
                        /** @description Retry, redrive: of the continuations. Deadline: the new one, counted from the creation. */
                        completion_window?: string;
                        /** @description At most so many batches, or requests, a second; default: no limit. */
                        per_second?: number;
                        /** @description normal = 1, medium = 5, high = 10, or a number from 0 to 100; more is sooner. Where it is absent, `metadata.priority` counts in the same words or numbers; any other word there is yours, and means nothing here. */
                        priority?: number | ("normal" | "medium" | "high");
                    };
                    reason?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    depictMolecule: {
        parameters: {
            query: {
                /** @description How it is said that the SMILES is none: with status 400, or as a picture of the reason. Default `json`. */
                errors?: "json" | "svg";
                /** @description Height in pixels; default 200. */
                h?: number;
                /** @description SMARTS; what matches is highlighted. */
                hl?: string;
                /** @description The molecule. */
                smiles: string;
                /** @description Of the page it stands on; the background is transparent. Default `light`. */
                theme?: "light" | "dark";
                /** @description Width in pixels; default 250. */
                w?: number;
                /** @description Milliseconds after which the answer is 503 with Retry-After, and the drawing there when it is asked for again; default 50. */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": string;
                };
            };
            /** @description Done. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createEmbedding: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description As OpenAI describes the endpoint; all of it goes to the upstream, but for the name of the model. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description `name`, `name@version` or `name@alias`. */
                    model: string;
                    /** @description Answer with Server-Sent Events, as the model produces them. */
                    stream?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Embed texts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description Start after this `id` of the stream, like the header Last-Event-ID; after the `number` of an event some may come again; `latest`: with what happens from now on. */
                after?: string;
                progress?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stream all events of the tenant. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listFiles: {
        parameters: {
            query?: {
                /** @description The last id of the page before. */
                after?: string;
                limit?: number;
                /** @description By time of creation. */
                order?: "asc" | "desc";
                /** @description Only files of this purpose. */
                purpose?: string;
                /** @description Only files this user of the tenant made. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["OpenAIFile"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** @constant */
                    "expires_after[anchor]"?: "created_at";
                    "expires_after[seconds]"?: number;
                    /** Format: binary */
                    file: string;
                    /** @enum {unknown} */
                    purpose: "assistants" | "batch" | "fine-tune" | "vision" | "user_data" | "evals";
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAIFile"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retrieveFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAIFile"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedFile"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    downloadFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the content of a file, or a range of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
                /** @description `name`, or `name@version`. */
                model?: string;
                /** @description One status, or several with commas between. */
                status?: string;
                /** @description Only jobs of this user. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Job"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createJob: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description One request: what it asks of a model, and what is asked of the job. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description The endpoint's body. Without it, its fields stand beside these. */
                    body?: {
                        [key: string]: unknown;
                    };
                    deadline?: number | null;
                    endpoint?: ("/v1/responses" | "/v1/chat/completions" | "/v1/embeddings" | "/v1/completions" | "/v1/moderations" | "/v1/images/generations" | "/v1/images/edits" | "/v1/videos" | "/v1/predict") | null;
                    max_attempts?: number | null;
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    /** @description `name` or `name@version`. */
                    model: string;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                    soft_timeout_ms?: number | null;
                    timeout_ms?: number | null;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Done. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                        /** @constant */
                        object: "job";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listJobArtifacts: {
        parameters: {
            query?: {
                /** @description Of this attempt; absent: of the newest that left files. */
                attempt?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Artifact"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getJobArtifact: {
        parameters: {
            query?: {
                /** @description Of this attempt; absent: of the newest that left files. */
                attempt?: number;
            };
            header?: never;
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Download a file that a job left. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getJobResult: {
        parameters: {
            query?: {
                /** @description Seconds to wait at most. */
                wait?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description Done. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listModels: {
        parameters: {
            query?: {
                /** @description The last id of the page before. */
                after?: string;
                executor?: string;
                limit?: number;
                /** @description Only models whose name holds this. */
                q?: string;
                /** @description Only models whose newest version has this status. */
                status?: "pending" | "uploaded" | "validating" | "ready" | "failed" | "archived";
                tag?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Model"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createModel: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    card?: string | null;
                    /** @description `onnx` (also where it is absent), whose file is uploaded next; others need an admin key. */
                    executor?: string;
                    /** @description 1 to 128 letters, digits, '.', '_', '-' or '/'. */
                    name: string;
                    options?: Record<string, never>;
                    output_columns?: {
                        [key: string]: {
                            title?: string;
                            /** @description `log10(mol/L)`. */
                            unit?: string;
                        };
                    } | null;
                    schema?: Record<string, never> | null;
                    tags?: string[];
                    /** @description Semantic: `1.10.0`. Absent: `1.0.0`. */
                    version?: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedModel"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    updateModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    card?: string | null;
                    /** @description Not of a version that is or was ready. */
                    options?: Record<string, never>;
                    output_columns?: {
                        [key: string]: {
                            title?: string;
                            /** @description `log10(mol/L)`. */
                            unit?: string;
                        };
                    } | null;
                    schema?: Record<string, never> | null;
                    tags?: string[];
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listModelAliases: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ModelAlias"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getModelAlias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alias: string;
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelAlias"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    moveModelAlias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alias: string;
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A version that is ready. */
                    version: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelAlias"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteModelAlias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alias: string;
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedModel"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getModelAliasHistory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alias: string;
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ModelAliasMove"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    rollBackModelAlias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alias: string;
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelAlias"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    archiveModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    predictWithModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        /** @description As that of /v1/predict, without the model. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description One row, `{"smiles": "CCO"}`; rows, `[{"x": [1, 2]}, {"x": [3, 4]}]`; or each input with all its dimensions, `{"x": [[1, 2], [3, 4]]}`. The outputs come in the same form. A model of one input also takes its value without the name. */
                    inputs: unknown;
                    /** @description The outputs wanted; without it all of them. */
                    outputs?: string[];
                    /** @description Neither take a kept answer nor keep this one, as `Cache-Control: no-store`. */
                    skip_cache?: boolean;
                    /** @description Milliseconds after which the answer is of no use; it is then 504. */
                    timeout_ms?: number;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Prediction"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getModelSchema: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    uploadModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `name`, `name@version` or `name@alias`. A name may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: binary */
                    file: string;
                };
                "multipart/form-data": {
                    /** Format: binary */
                    file: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listModelVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Model"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getModelVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteModelVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedModel"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    updateModelVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    card?: string | null;
                    /** @description Not of a version that is or was ready. */
                    options?: Record<string, never>;
                    output_columns?: {
                        [key: string]: {
                            title?: string;
                            /** @description `log10(mol/L)`. */
                            unit?: string;
                        };
                    } | null;
                    schema?: Record<string, never> | null;
                    tags?: string[];
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    archiveModelVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    predictWithVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        /** @description As that of /v1/predict, without the model. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description One row, `{"smiles": "CCO"}`; rows, `[{"x": [1, 2]}, {"x": [3, 4]}]`; or each input with all its dimensions, `{"x": [[1, 2], [3, 4]]}`. The outputs come in the same form. A model of one input also takes its value without the name. */
                    inputs: unknown;
                    /** @description The outputs wanted; without it all of them. */
                    outputs?: string[];
                    /** @description Neither take a kept answer nor keep this one, as `Cache-Control: no-store`. */
                    skip_cache?: boolean;
                    /** @description Milliseconds after which the answer is of no use; it is then 504. */
                    timeout_ms?: number;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Prediction"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    restoreModelVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    uploadModelVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: binary */
                    file: string;
                };
                "multipart/form-data": {
                    /** Format: binary */
                    file: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getLatestByName: {
        parameters: {
            query?: {
                /** @description Only of versions that are ready. */
                ready_only?: boolean;
            };
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listVersionsByName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a model; it may hold `/`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Model"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    checkMolecules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckMolecules"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckedMolecules"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    matchMolecules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MatchMolecules"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchedMolecules"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listPools: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Pool"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPortalAttention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalAttention"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listPortalBatches: {
        parameters: {
            query?: {
                /** @description The `next` of the page before, with the same sort. */
                cursor?: string;
                /** @description Created since: seconds since the epoch, a date and time, or an age such as 24h. */
                from?: string;
                /** @description Default 50. */
                limit?: number;
                /** @description Pairs they have, as key:value. */
                metadata?: string[];
                /** @description `name` or `name@version`; several with commas between. */
                model?: string;
                /** @description Pools they asked for, or were given to last; several with commas between. */
                pool?: string;
                /** @description normal, medium, high, or numbers; several with commas between. */
                priority?: string;
                /** @description As typed in a search box: beginnings of words in name and metadata, or of an id; and qualifiers such as `model:x status:failed,expired meta.key:value created:<24h error:timeout -status:cancelled`. */
                q?: string;
                /** @description on_track, at_risk, met or breached; several with commas between. */
                sla?: string;
                /** @description Default -created_at. `failed`: its share of all, once the batch has ended. `duration`: one that still runs is the longest. */
                sort?: "created_at" | "name" | "total" | "failed" | "deadline" | "duration" | "-created_at" | "-name" | "-total" | "-failed" | "-deadline" | "-duration";
                /** @description Statuses; several with commas between. */
                status?: string;
                /** @description Created before; likewise. */
                to?: string;
                /** @description Who made them; several with commas between. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PortalBatch"][];
                        next: string | null;
                        /** @description The database's clock: seconds since the epoch. */
                        now: number;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPortalBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalBatchDetails"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listPortalRequests: {
        parameters: {
            query?: {
                /** @description Only requests that failed of this cause, as `/v1/batches/{id}/failures` names it. */
                cause?: string;
                /** @description Only requests that ended with this code. */
                code?: string;
                /** @description Only the request of this custom_id. */
                custom_id?: string;
                /** @description Default 1. */
                from_line?: number;
                /** @description Default 200. */
                limit?: number;
                /** @description One state, or several with commas between. */
                state?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PortalRequest"][];
                        next_line: number | null;
                        /** @constant */
                        object: "list";
                        /** @description Lines of the batch, whatever is filtered. */
                        total: number;
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPortalBody: {
        parameters: {
            query: {
                /** @description Bytes; default 65536. */
                max?: number;
                part: "input" | "output";
            };
            header?: never;
            path: {
                id: string;
                line: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalBody"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    countPortalBatches: {
        parameters: {
            query?: {
                /** @description Created since: seconds since the epoch, a date and time, or an age such as 24h. */
                from?: string;
                /** @description Pairs they have, as key:value. */
                metadata?: string[];
                /** @description `name` or `name@version`; several with commas between. */
                model?: string;
                /** @description Pools they asked for, or were given to last; several with commas between. */
                pool?: string;
                /** @description normal, medium, high, or numbers; several with commas between. */
                priority?: string;
                /** @description As typed in a search box: beginnings of words in name and metadata, or of an id; and qualifiers such as `model:x status:failed,expired meta.key:value created:<24h error:timeout -status:cancelled`. */
                q?: string;
                /** @description on_track, at_risk, met or breached; several with commas between. */
                sla?: string;
                /** @description Statuses; several with commas between. */
                status?: string;
                /** @description Created before; likewise. */
                to?: string;
                /** @description Who made them; several with commas between. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many batches have each value of a field, of those that all the other fields mean. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalBatchCounts"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPortalOverview: {
        parameters: {
            query?: {
                /** @description Of the series; default 6h. */
                range?: "1h" | "6h" | "24h" | "7d";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What a dashboard shows, from figures that are kept ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalOverview"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    searchPortal: {
        parameters: {
            query: {
                /** @description Of each kind; default 6. */
                limit?: number;
                q: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSearch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPortalSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who a page speaks for, and what it needs to know of the server. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSession"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    api_key: string;
                };
            };
        };
        responses: {
            /** @description Who a page speaks for, and what it needs to know of the server. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSession"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        /** @constant */
                        object: "portal.session";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPortalSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSettings"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    putPortalSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Whatever pages keep for a user, such as the tiles of the dashboard in their order; at most 32 kB. */
                    settings: Record<string, never>;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSettings"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listViews: {
        parameters: {
            query?: {
                screen?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["View"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createView: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** @description The parameters of the page’s address: filter, sort, columns. */
                    query: {
                        [key: string]: string;
                    };
                    /** @description The screen it is of, such as `batches`. */
                    screen: string;
                    shared?: boolean;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteView: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                        /** @constant */
                        object: "view";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    updateView: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    name?: string;
                    /** @description The parameters of the page’s address: filter, sort, columns. */
                    query?: {
                        [key: string]: string;
                    };
                    shared?: boolean;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    predict: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The same body as that of a line whose url is /v1/predict. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description One row, `{"smiles": "CCO"}`; rows, `[{"x": [1, 2]}, {"x": [3, 4]}]`; or each input with all its dimensions, `{"x": [[1, 2], [3, 4]]}`. The outputs come in the same form. A model of one input also takes its value without the name. */
                    inputs: unknown;
                    /** @description `name`, `name@version` or `name@alias`. */
                    model: string;
                    /** @description The outputs wanted; without it all of them. */
                    outputs?: string[];
                    /** @description Neither take a kept answer nor keep this one, as `Cache-Control: no-store`. */
                    skip_cache?: boolean;
                    /** @description Milliseconds after which the answer is of no use; it is then 504. */
                    timeout_ms?: number;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Prediction"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listPredictions: {
        parameters: {
            query?: {
                /** @description The id of the last one of the page before. */
                after?: string;
                /** @description Only those that failed, or only those that did not. */
                failed?: boolean;
                /** @description Only records of these inputs. */
                input_hash?: string;
                limit?: number;
                /** @description `name`, or `name@version`. */
                model?: string;
                /** @description At this second or later. */
                since?: number;
                /** @description Before this second. */
                until?: number;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["PredictionRecord"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPrediction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PredictionRecord"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    exportPredictions: {
        parameters: {
            query?: {
                /** @description Only those that failed, or only those that did not. */
                failed?: boolean;
                /** @description Default `jsonl`. */
                format?: "jsonl" | "csv";
                /** @description Only records of these inputs. */
                input_hash?: string;
                /** @description `name`, or `name@version`. */
                model?: string;
                /** @description At this second or later. */
                since?: number;
                /** @description Before this second. */
                until?: number;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Download records of predictions, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retryRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createResponse: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description As OpenAI describes the endpoint; all of it goes to the upstream, but for the name of the model. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description `name`, `name@version` or `name@alias`. */
                    model: string;
                    /** @description Answer with Server-Sent Events, as the model produces them. */
                    stream?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Respond. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listRoutes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Route"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRoute: {
        parameters: {
            query?: {
                /** @description Absent: the route of every series that has none of its own. */
                series?: string;
            };
            header?: never;
            path: {
                target: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    setRoute: {
        parameters: {
            query?: {
                /** @description Absent: the route of every series that has none of its own. */
                series?: string;
            };
            header?: never;
            path: {
                target: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The models recommended; a text is a model of weight 1, without dates. */
                    models: (string | {
                        /** @description `name`, `name@version` or `name@alias`. */
                        model: string;
                        valid_from?: number | null;
                        valid_until?: number | null;
                        /** @description How much its answer counts beside those of the others. Default 1. */
                        weight?: number;
                    })[];
                    note?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    deleteRoute: {
        parameters: {
            query?: {
                /** @description Absent: the route of every series that has none of its own. */
                series?: string;
            };
            header?: never;
            path: {
                target: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        /** @constant */
                        object: "route";
                        series: string | null;
                        target: string;
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRouteHistory: {
        parameters: {
            query?: {
                /** @description Absent: the route of every series that has none of its own. */
                series?: string;
            };
            header?: never;
            path: {
                target: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["RouteChange"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRouteOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RouteOptions"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listScreens: {
        parameters: {
            query?: {
                /** @description The `last_id` of the page before. */
                after?: string;
                limit?: number;
                /** @description Only those of this user. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Screen"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createScreen: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description A protein, or a complex, against ligands. */
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Predict affinity
                     * @default true
                     */
                    affinity?: boolean;
                    /** @description How long the batch may take: `15m`, `24h`, `7d`. */
                    completion_window?: string;
                    /** @description In place of `completion_window`: when it must have ended, in seconds since the epoch. Absent both: in 7 days. */
                    deadline?: number;
                    dedup?: ("off" | "exact" | "semantic") | null;
                    /**
                     * @description `skip`: the valid ligands run, and each other one has its reason in the results. `refuse`: none runs.
                     * @default skip
                     * @enum {unknown}
                     */
                    invalid?: "skip" | "refuse";
                    /** @description Up to 20,000: a list of SMILES or objects; or a text, which is SMILES with a name behind each, a line each, CSV or TSV with a column `smiles` and perhaps `id`, `name` and `ccd`, or an SD file. */
                    ligands: (string | {
                        /**
                         * CCD code
                         * @example ATP
                         */
                        ccd?: string;
                        /** @description Unique in the screen; absent: `ligand-` and its place, from 1. */
                        id?: string;
                        name?: string | null;
                        /**
                         * SMILES
                         * @example CC(=O)Oc1ccccc1C(=O)O
                         */
                        smiles?: string;
                    })[] | string;
                    max_concurrent?: number | null;
                    metadata?: {
                        [key: string]: string;
                    } | null;
                    /**
                     * @description `name` or `name@version`.
                     * @default boltz-2
                     */
                    model?: string;
                    name?: string | null;
                    output_expires_after?: {
                        /** @constant */
                        anchor: "created_at";
                        seconds: number;
                    } | null;
                    /** @description The model's, as its schema has them: `sampling_steps`, `seed`, … */
                    parameters?: {
                        [key: string]: unknown;
                    };
                    pocket?: {
                        contacts: (number | string)[][];
                        /** @default false */
                        force?: boolean;
                        /**
                         * Largest distance
                         * @description In ångström.
                         * @default 6
                         */
                        max_distance?: number;
                    };
                    pool?: string | null;
                    priority?: (number | ("normal" | "medium" | "high")) | null;
                    /** Protein */
                    protein?: string | {
                        cyclic?: boolean;
                        /** @description Several: copies. */
                        id?: string | string[];
                        modifications?: {
                            ccd: string;
                            position: number;
                        }[];
                        /**
                         * Alignment
                         * @description In A3M. Absent: the server the operator configured, or none.
                         */
                        msa?: string;
                        /**
                         * Sequence
                         * @description One-letter codes of the 20 amino acids; X stands for an unknown residue.
                         * @example MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQ
                         */
                        sequence: string;
                    };
                    /** @description In place of `protein`: a complex. */
                    proteins?: {
                        cyclic?: boolean;
                        /** @description Several: copies. */
                        id?: string | string[];
                        modifications?: {
                            ccd: string;
                            position: number;
                        }[];
                        /**
                         * Alignment
                         * @description In A3M. Absent: the server the operator configured, or none.
                         */
                        msa?: string;
                        /**
                         * Sequence
                         * @description One-letter codes of the 20 amino acids; X stands for an unknown residue.
                         * @example MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQ
                         */
                        sequence: string;
                    }[];
                    strategy?: ("parallel" | "sequential" | "resource_aware" | "adaptive") | null;
                    templates?: {
                        /**
                         * Chain
                         * @example A
                         */
                        chain_id?: string;
                        /** @description The structure, as mmCIF text. */
                        cif: string;
                        force?: boolean;
                        /**
                         * Chain
                         * @example A
                         */
                        template_id?: string;
                        /** @description In ångström; needed where `force` is true. */
                        threshold?: number;
                    }[];
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Screen"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getScreen: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Screen"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    createUpload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    bytes: number;
                    expires_after?: {
                        /** @constant */
                        anchor: "created_at";
                        seconds: number;
                    } | null;
                    filename: string;
                    mime_type: string;
                    /** @enum {unknown} */
                    purpose: "assistants" | "batch" | "fine-tune" | "vision" | "user_data" | "evals";
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retrieveUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancelUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    completeUpload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    md5?: string | null;
                    /** @description The parts, in the order of their bytes. */
                    part_ids: string[];
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    addUploadPart: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** Format: binary */
                    data: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadPart"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getUsage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageReport"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listWorkers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Worker"][];
                        /** @constant */
                        object: "list";
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    drainWorker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listRunning: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunningWork"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    inferenceServer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceServer"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether the server answers at all. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether it can do its work; 503 otherwise. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        models: string[];
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceModel"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelConfig: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As Triton's model configuration extension has it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    infer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InferenceRequest"];
                "application/octet-stream": components["schemas"]["InferenceRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceReply"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelReady: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        error?: string;
                        name: string;
                        ready: boolean;
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelStatistics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description As Triton's statistics extension has them. */
                        model_stats: unknown[];
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceModel"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelConfigOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As Triton's model configuration extension has it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InferenceRequest"];
                "application/octet-stream": components["schemas"]["InferenceRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceReply"];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelReadyOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        error?: string;
                        name: string;
                        ready: boolean;
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceModelStatisticsOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
                /** @description Semantic: `1.10.0`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description As Triton's statistics extension has them. */
                        model_stats: unknown[];
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceStatistics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description As Triton's statistics extension has them. */
                        model_stats: unknown[];
                    };
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceIndex: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    ready?: boolean;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        reason: string;
                        state: string;
                        version: string;
                    }[];
                };
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceLoad: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Load a model now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
    inferenceUnload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name, or `name@alias`; a `/` in it as it is, or as `%2F`. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description End its processes; its next request loads it again. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceError"];
                };
            };
        };
    };
}
