/** What kind of workers a pool has; null where its name says so already. */
export const kindOf = ({ name, preemptible }: { name: string; preemptible: boolean }): string | null => {
  const kind = preemptible ? 'spot' : 'dedicated';
  return kind === name ? null : kind;
};
