import { queryOptions } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

/** The text of a structure of this server, which never changes. */
export const mmcifQuery = (url: string) =>
  queryOptions({ queryKey: ['structure', url], queryFn: async () => (await call(url)).text(), staleTime: Infinity });
