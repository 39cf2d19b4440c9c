import openapiTS, { astToString } from 'openapi-typescript';

/** What the portal's client knows of the API, as types: a route that changes fails the portal's type check. */
export const typesOf = async (api: Record<string, unknown>): Promise<string> =>
  `// Written from server/openapi.json by \`npm run derive\`.\n\n${astToString(await openapiTS(api as never, { alphabetize: true, silent: true }))}`;
