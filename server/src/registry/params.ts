import { Type } from 'typebox';
import type { Reference } from '../models/names.ts';
import { noModel, referenceOf } from './read.ts';

const model = Type.String({ title: 'model', description: '`name`, `name@version` or `name@alias`. A name may hold `/`.' });
const name = Type.String({ description: 'The name of a model; it may hold `/`.' });
export const anyModel = Type.Object({ model });
export const anyVersion = Type.Object({ model: name, version: Type.String({ description: 'Semantic: `1.10.0`.' }) });
export const anyAlias = Type.Object({ model: name, alias: Type.String() });
export const named = Type.Object({ model: name });

/** The name in a path that says the version elsewhere, or means all of them. */
export const nameOf = (text: string): string => {
  const reference = referenceOf(text);
  if (reference.version !== undefined || reference.alias !== undefined) throw noModel(text);
  return reference.name;
};

export const versionIn = ({ model: text, version }: { model: string; version: string }): Reference => {
  const reference = referenceOf(`${nameOf(text)}@${version}`);
  if (reference.version === undefined) throw noModel(`${text}@${version}`);
  return reference;
};
