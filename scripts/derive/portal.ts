import { typesOf } from '../../portal/derive.ts';
import { describeApi } from '../../server/src/roles/describe.ts';

export const derive = async (): Promise<Record<string, string>> => ({ 'portal/src/lib/openapi.d.ts': await typesOf(await describeApi()) });
