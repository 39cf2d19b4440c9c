/** As the API lists them: the contract's own list would bring its schemas along. */
export const requestStates = ['queued', 'running', 'waiting', 'completed', 'failed', 'dead_lettered', 'cancelled', 'expired'] as const;
