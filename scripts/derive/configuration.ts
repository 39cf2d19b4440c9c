import { configurationPage } from '../../server/src/help.ts';

export const derive = async (): Promise<Record<string, string>> => ({ 'docs/configuration.md': configurationPage() });
