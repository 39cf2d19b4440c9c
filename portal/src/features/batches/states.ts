/** As the API lists them: the contract's own list would bring its schemas along. */
export const requestStates = ['queued', 'running', 'waiting', 'completed', 'failed', 'dead_lettered', 'cancelled', 'expired'] as const;

export const batchStatuses = [
  'validating',
  'in_progress',
  'finalizing',
  'completed',
  'failed',
  'expired',
  'cancelling',
  'cancelled',
] as const;
