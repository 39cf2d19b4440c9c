import { Button, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { api, call, Failure } from '../../lib/api.ts';
import { bytes } from '../../lib/format.ts';
import { session } from '../../lib/session.ts';

/** `team/iris-2.onnx` is called `iris-2`, unless somebody says otherwise. */
export const nameOf = (filename: string): string => filename.replace(/\.onnx$/i, '').replaceAll(/[^\w./-]+/g, '-');

/** The next version of a model that has one: a new file changes what it answers. */
export const nextOf = (version: string | null): string => {
  const [, major] = /^(\d+)\./.exec(version ?? '') ?? [];
  return major === undefined ? '1.0.0' : version!.replace(/^(\d+)\.(\d+)\..*$/, (_, a: string, b: string) => `${a}.${Number(b) + 1}.0`);
};

/** Registers a version and sends its file; what vetting finds is shown on the model's page, while it does. */
export const UploadDialog = ({ close, model, newest }: { close: () => void; model?: string; newest?: string }) => {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState(model ?? '');
  const [version, setVersion] = useState(nextOf(newest ?? null));
  const most = session.current()?.limits.max_model_bytes ?? Infinity;
  const wrong = file !== null && file.size > most ? `It has ${bytes(file.size)}; this server takes ${bytes(most)}.` : null;
  const upload = useMutation({
    mutationFn: async () => {
      // One that was registered before, and whose upload broke off, takes the file all the same.
      await api.POST('/v1/models', { body: { name, version } }).catch((error: unknown) => {
        if (!(error instanceof Failure) || error.status !== 409) throw error;
      });
      const form = new FormData();
      form.append('file', file!);
      await call(`/v1/models/${encodeURIComponent(name)}/versions/${version}/upload`, { method: 'POST', body: form });
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['models'] });
      await queries.invalidateQueries({ queryKey: ['model', name] });
      close();
      void navigate({ to: '/models/$name', params: { name }, search: { version } });
    },
  });
  return (
    <Modal opened onClose={close} title={model === undefined ? 'Upload an ONNX model' : `New version of ${model}`}>
      <form
        style={{ display: 'grid', gap: 10 }}
        onSubmit={(event) => {
          event.preventDefault();
          upload.mutate();
        }}
      >
        <input
          ref={field}
          type="file"
          accept=".onnx"
          hidden
          aria-label="ONNX file"
          onChange={({ currentTarget }) => {
            const chosen = currentTarget.files?.[0] ?? null;
            setFile(chosen);
            if (chosen !== null && name === '') setName(nameOf(chosen.name));
          }}
        />
        <div style={{ display: 'flex', gap: 10, alignItems: 'center' }}>
          <Button variant="default" data-autofocus onClick={() => field.current?.click()}>
            Choose a file
          </Button>
          <span className={file === null ? 'quiet' : undefined}>
            {file === null ? 'an .onnx file' : `${file.name}, ${bytes(file.size)}`}
          </span>
        </div>
        <TextInput
          label="Name"
          description="Letters, digits, . _ - and /"
          required
          readOnly={model !== undefined}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <TextInput
          label="Version"
          description="Semantic, such as 1.4.0"
          required
          value={version}
          onChange={({ currentTarget }) => setVersion(currentTarget.value)}
        />
        {(wrong ?? upload.error) && (
          <p role="alert" style={{ margin: 0, color: 'var(--bad)' }}>
            {wrong ?? upload.error?.message}
          </p>
        )}
        <p className="quiet" style={{ margin: 0 }}>
          It is vetted in a process of its own before it is served: what it reads, what it computes, and how fast.
        </p>
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={close}>
            Close
          </Button>
          <Button type="submit" disabled={file === null || wrong !== null} loading={upload.isPending}>
            Upload
          </Button>
        </div>
      </form>
    </Modal>
  );
};
