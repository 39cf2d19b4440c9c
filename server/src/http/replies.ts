import { Ajv } from 'ajv';
import type { SharedSchema } from './validation.ts';

/**
 * Throws where a reply is not what its schema says. For tests only: otherwise replies are JSON as they are, which is
 * faster than a compiled serializer on schemas full of nulls, and drops no key in silence.
 */
export const checkedSerializer = (shared: readonly SharedSchema[]): ((route: { schema: object }) => (data: unknown) => string) => {
  const ajv = new Ajv({ strict: false, allErrors: true }).addSchema([...shared]);
  return ({ schema }) => {
    const known = '$id' in schema && typeof schema.$id === 'string' ? ajv.getSchema(schema.$id) : undefined;
    const validate = known ?? ajv.compile(schema);
    return (data) => {
      const text = JSON.stringify(data);
      if (!validate(JSON.parse(text)))
        throw new Error(`the reply is not what its schema says: ${ajv.errorsText(validate.errors)}: ${text}`);
      return text;
    };
  };
};
