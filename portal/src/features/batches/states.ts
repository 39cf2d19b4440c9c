/** As the API lists them: the contract's own list would bring its schemas along. */
export const requestStates = ['queued', 'running', 'waiting', 'completed', 'failed', 'dead_lettered', 'cancelled', 'expired'] as const;

/** Whether a batch of this status is not yet at an end. */
export const open = (status: string): boolean => ['validating', 'in_progress', 'finalizing', 'cancelling'].includes(status);
