import { Type, type Static } from 'typebox';

export const Artifact = Type.Object(
  {
    object: Type.Literal('artifact'),
    name: Type.String({ examples: ['structure.cif'] }),
    content_type: Type.String({ description: 'As the model has it; types that a browser would run are sent as bytes.' }),
    bytes: Type.Integer(),
    sha256: Type.String(),
    attempt: Type.Integer({ description: 'The attempt that left it.' }),
    url: Type.String({ description: 'Where its bytes are.' }),
  },
  { $id: 'Artifact' },
);
export type Artifact = Static<typeof Artifact>;

export const ArtifactList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('Artifact')) });
