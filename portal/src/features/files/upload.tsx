import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconUpload } from '@tabler/icons-react';
import { useRef } from 'react';
import { call } from '../../lib/api.ts';
import { bytes } from '../../lib/format.ts';

/** One request holds a small file; a large one goes in parts, from the page of a new batch. */
const most = 512_000_000;

/** Uploads files for batches: streamed by the browser, never read here. */
export const Upload = () => {
  const queries = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const upload = useMutation({
    mutationFn: async (files: readonly File[]) => {
      for (const file of files) {
        if (file.size > most)
          throw new Error(`${file.name} has ${bytes(file.size)}: begin a new batch with it, which uploads it in parts.`);
        const form = new FormData();
        form.append('purpose', 'batch');
        form.append('file', file);
        await call('/v1/files', { method: 'POST', body: form });
      }
    },
    onError: (error) => notifications.show({ color: 'red', title: 'The upload failed', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['files'] }),
  });
  return (
    <>
      <input
        ref={field}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          currentTarget.value = '';
          if (files.length > 0) upload.mutate(files);
        }}
      />
      <Button leftSection={<IconUpload size={14} aria-hidden />} loading={upload.isPending} onClick={() => field.current?.click()}>
        Upload
      </Button>
    </>
  );
};
