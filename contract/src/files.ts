import { Type, type Static } from 'typebox';
import { Nullable, Page, Timestamp } from './common.ts';

/** What a client may upload a file for. */
export const uploadPurposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;
export type UploadPurpose = (typeof uploadPurposes)[number];

/** What a file may be for: a batch's output and error files are `batch_output`. */
export const filePurposes = [...uploadPurposes, 'assistants_output', 'batch_output', 'fine-tune-results'] as const;
export type FilePurpose = (typeof filePurposes)[number];

export const minExpirySeconds = 3600;
export const maxExpirySeconds = 2_592_000;

/** Bytes one part of an upload may have. */
export const maxPartBytes = 64 * 1024 * 1024;

export const ExpiresAfter = Type.Object(
  { anchor: Type.Literal('created_at'), seconds: Type.Integer({ minimum: minExpirySeconds, maximum: maxExpirySeconds }) },
  { additionalProperties: false },
);
export type ExpiresAfter = Static<typeof ExpiresAfter>;

export const FileObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('file'),
    bytes: Type.Integer({ minimum: 0 }),
    created_at: Timestamp,
    expires_at: Nullable(Timestamp),
    filename: Type.String(),
    purpose: Type.Enum([...filePurposes]),
    status: Type.Literal('processed', { description: 'A file is there whole or not at all, so it is never anything else.' }),
    status_details: Type.Null(),
    // What follows is ours; stock clients ignore it.
    sha256: Type.String({ description: 'SHA-256 of the content, in hex; also the ETag of the content.' }),
    created_by: Type.String(),
  },
  { $id: 'OpenAIFile' },
);
export type FileObject = Static<typeof FileObject>;

export const FilePage = Page(Type.Ref('OpenAIFile'));
export type FilePage = Omit<Static<typeof FilePage>, 'data'> & { data: FileObject[] };

export const ListFiles = Type.Object({
  purpose: Type.Optional(Type.String({ description: 'Only files of this purpose.' })),
  user: Type.Optional(Type.String({ description: 'Only files this user of the tenant made.' })),
  limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 10_000 }),
  order: Type.Enum(['asc', 'desc'], { default: 'desc', description: 'By time of creation.' }),
  after: Type.Optional(Type.String({ description: 'The last id of the page before.' })),
});
export type ListFiles = Static<typeof ListFiles>;

export const DeletedFile = Type.Object(
  { id: Type.String(), object: Type.Literal('file'), deleted: Type.Literal(true) },
  { $id: 'DeletedFile' },
);
export type DeletedFile = Static<typeof DeletedFile>;

export const uploadStatuses = ['pending', 'completed', 'cancelled', 'expired'] as const;
export type UploadStatus = (typeof uploadStatuses)[number];

export const Upload = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('upload'),
    bytes: Type.Integer({ minimum: 0 }),
    created_at: Timestamp,
    expires_at: Timestamp,
    filename: Type.String(),
    purpose: Type.Enum([...uploadPurposes]),
    status: Type.Enum([...uploadStatuses]),
    file: Nullable(Type.Ref('OpenAIFile')),
  },
  { $id: 'Upload' },
);
export type Upload = Omit<Static<typeof Upload>, 'file'> & { file: FileObject | null };

export const CreateUpload = Type.Object(
  {
    filename: Type.String({ minLength: 1, maxLength: 255 }),
    purpose: Type.Enum([...uploadPurposes]),
    bytes: Type.Integer({ minimum: 0 }),
    mime_type: Type.String({ maxLength: 255 }),
    expires_after: Type.Optional(Nullable(ExpiresAfter)),
  },
  { additionalProperties: false },
);
export type CreateUpload = Static<typeof CreateUpload>;

export const UploadPart = Type.Object(
  { id: Type.String(), object: Type.Literal('upload.part'), created_at: Timestamp, upload_id: Type.String() },
  { $id: 'UploadPart' },
);
export type UploadPart = Static<typeof UploadPart>;

export const CompleteUpload = Type.Object(
  {
    part_ids: Type.Array(Type.String(), { maxItems: 100_000, description: 'The parts, in the order of their bytes.' }),
    md5: Type.Optional(Nullable(Type.String({ description: 'MD5 of the whole file, in hex.' }))),
  },
  { additionalProperties: false },
);
export type CompleteUpload = Static<typeof CompleteUpload>;
