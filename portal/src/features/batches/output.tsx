import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { api, bodyOf, call } from '../../lib/api.ts';
import { absolute, bytes, count } from '../../lib/format.ts';
import { Card } from '../../ui/page.tsx';
import { Json } from '../../ui/json.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import type { Batch } from './queries.ts';
import { open } from './states.ts';
import css from './details.module.css';

/** Lines at the beginning of a stream, however long it is: the rest is never fetched. */
const firstLines = async (path: string, most: number, mostBytes = 512_000): Promise<{ lines: string[]; more: boolean }> => {
  const leave = new AbortController();
  const reply = await call(path, { signal: leave.signal });
  if (!reply.body) return { lines: [], more: false };
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    text += value ?? '';
    const enough = text.length > mostBytes || text.split('\n').length > most + 1;
    if (!done && !enough) continue;
    const lines = text.split('\n');
    if (enough) leave.abort();
    // The last one is empty, or not whole.
    return { lines: lines.slice(0, -1).slice(0, most), more: enough };
  }
};

/** What an answer says, in a few words: the text of a chat, the outputs of a prediction. */
const gist = (line: string): { id: string; text: string } => {
  try {
    const {
      custom_id: id,
      response,
      error,
    } = JSON.parse(line) as {
      custom_id: string;
      response?: { body?: Record<string, unknown> } | null;
      error?: { message?: string } | null;
    };
    const body = response?.body as
      | { choices?: { message?: { content?: string } }[]; outputs?: unknown; data?: unknown; error?: { message?: string } }
      | undefined;
    const said = body?.choices?.[0]?.message?.content ?? body?.error?.message ?? error?.message ?? body?.outputs ?? body?.data ?? body;
    return { id, text: typeof said === 'string' ? said : (JSON.stringify(said) ?? '') };
  } catch {
    return { id: '', text: line };
  }
};

const shown = 200;

const Preview = ({ path }: { path: string }) => {
  const asked = useQuery({ queryKey: ['output', path], queryFn: () => firstLines(path, shown), staleTime: 5_000 });
  return (
    <Answer of={asked} what="The results">
      {({ lines, more }) =>
        lines.length === 0 ? (
          <Empty title="Nothing yet">Lines come here as requests end.</Empty>
        ) : (
          <>
            <div className={css.wide} style={{ maxHeight: 380, overflow: 'auto' }} tabIndex={0} role="region" aria-label="First lines">
              <table className={css.table}>
                <thead>
                  <tr>
                    <th>Custom id</th>
                    <th>Answer</th>
                  </tr>
                </thead>
                <tbody>
                  {lines.map((line, i) => {
                    const { id, text } = gist(line);
                    return (
                      <tr key={i}>
                        <td className="mono">{id}</td>
                        <td className="cut" style={{ maxWidth: 600 }} title={text.slice(0, 500)}>
                          {text.slice(0, 200)}
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
            <p className="quiet" style={{ margin: 0, padding: '8px 14px' }}>
              {more ? `The first ${count(lines.length)} lines.` : `All ${count(lines.length)} lines.`}
            </p>
            <div style={{ padding: '0 14px 14px' }}>
              <Json value={JSON.parse(lines[0]!) as unknown} label="the first line" height={240} />
            </div>
          </>
        )
      }
    </Answer>
  );
};

const FileFacts = ({ id }: { id: string }) => {
  const file = useQuery({ queryKey: ['file', id], queryFn: () => bodyOf(api.GET('/v1/files/{id}', { params: { path: { id } } })) });
  return file.data ? (
    <span className="quiet num">
      {file.data.filename} · {bytes(file.data.bytes)}
      {file.data.expires_at ? ` · kept until ${absolute(file.data.expires_at)}` : ''}
    </span>
  ) : null;
};

const Part = ({ title, id, path, name }: { title: string; id: string | null; path: string; name: string }) => (
  <Card
    title={title}
    flush
    actions={
      <>
        {id && <FileFacts id={id} />}
        <Button
          component="a"
          href={id ? `/v1/files/${id}/content` : path}
          download={name}
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
        >
          Download
        </Button>
      </>
    }
  >
    <Preview path={id ? `/v1/files/${id}/content` : path} />
  </Card>
);

/** The results and the errors: their first lines, and the files. */
export const Output = ({ batch }: { batch: Batch }) => {
  const running = open(batch.status);
  const { completed, failed, total } = batch.request_counts;
  if (!running && !batch.output_file_id && !batch.error_file_id) return <Empty title="This batch wrote no files" />;
  return (
    <>
      {running && (
        <p className={css.note}>
          So far: {count(completed + failed)} of {count(total)} requests.
        </p>
      )}
      {(running || batch.output_file_id) && (
        <Part title="Results" id={batch.output_file_id} path={`/v1/batches/${batch.id}/output`} name={`${batch.id}-output.jsonl`} />
      )}
      {(batch.error_file_id || (running && failed > 0)) && (
        <Part title="Errors" id={batch.error_file_id} path={`/v1/batches/${batch.id}/errors`} name={`${batch.id}-errors.jsonl`} />
      )}
    </>
  );
};
