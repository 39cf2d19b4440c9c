import { Type } from 'typebox';

export const PassedOn = Type.Object(
  {
    model: Type.String({ minLength: 1, description: '`name`, `name@version` or `name@alias`.' }),
    stream: Type.Optional(
      Type.Union([Type.Boolean(), Type.Null()], { description: 'Answer with Server-Sent Events, as the model produces them.' }),
    ),
  },
  { description: 'As OpenAI describes the endpoint; all of it goes to the upstream, but for the name of the model.' },
);
