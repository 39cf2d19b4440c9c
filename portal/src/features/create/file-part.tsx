import { Button, Select } from '@mantine/core';
import { IconFileUpload, IconX } from '@tabler/icons-react';
import { useRef, useState, type ReactNode } from 'react';
import { bytes, count, plural } from '../../lib/format.ts';
import { Status } from '../../ui/status.tsx';
import type { BadLine, Checked } from './lines.ts';
import type { Picked } from './use-file.ts';
import css from './create.module.css';

const Drop = ({ take }: { take: (file: File) => void }) => {
  const [over, setOver] = useState(false);
  const [pasting, setPasting] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  return (
    <div
      className={css.drop}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer.files[0];
        if (file) take(file);
      }}
    >
      <IconFileUpload size={28} stroke={1.5} aria-hidden />
      {pasting ? (
        <>
          <textarea
            ref={text}
            rows={6}
            aria-label="Lines of requests"
            style={{ width: '100%', fontFamily: 'var(--mono)', fontSize: 12 }}
            placeholder='{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "echo", …}}'
          />
          <Button onClick={() => take(new File([text.current?.value ?? ''], 'pasted.jsonl', { type: 'application/jsonl' }))}>
            Use these lines
          </Button>
        </>
      ) : (
        <>
          <p>Drop a file here: JSONL requests, or a table (CSV, TSV, Parquet, SDF, a list of SMILES)</p>
          <div style={{ display: 'flex', gap: 8 }}>
            <Button onClick={() => input.current?.click()}>Choose a file</Button>
            <Button variant="default" onClick={() => setPasting(true)}>
              Paste lines
            </Button>
          </div>
        </>
      )}
      <input
        ref={input}
        type="file"
        hidden
        aria-label="File of requests"
        accept=".jsonl,.ndjson,.csv,.tsv,.parquet,.sdf,.smi,.txt,.gz,.zst"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) take(file);
        }}
      />
    </div>
  );
};

/** The line, with the place marked at which it stops making sense. */
const Marked = ({ bad: { text, column } }: { bad: BadLine }): ReactNode => {
  if (column === undefined) return <span>{text.slice(0, 240)}</span>;
  const from = Math.max(0, column - 100);
  return (
    <span>
      {from > 0 && '…'}
      {text.slice(from, column - 1)}
      <mark className={css.marker}>{text.slice(column - 1, column) || '⏎'}</mark>
      {text.slice(column, column + 80)}
    </span>
  );
};

const BadLines = ({ checked, correct }: { checked: Checked; correct: (changes: Map<BadLine, string | null>) => void }) => {
  const [changes, setChanges] = useState<ReadonlyMap<BadLine, string | null>>(new Map());
  const change = (bad: BadLine, text: string | null | undefined) => {
    const next = new Map(changes);
    if (text === undefined) next.delete(bad);
    else next.set(bad, text);
    setChanges(next);
  };
  const { bad, badCount } = checked;
  const lines = bad.filter(({ end }) => end > 0);
  return (
    <section aria-label="Bad lines">
      <p style={{ margin: '10px 0 0', display: 'flex', gap: 8, alignItems: 'center', flexWrap: 'wrap' }}>
        <Status of="failed" word={`${plural(badCount, 'line is', 'lines are')} wrong`} />
        {badCount > bad.length && <span className="quiet">the first {bad.length} are shown</span>}
        <span style={{ flex: 1 }} />
        {lines.length > 0 && (
          <Button variant="default" onClick={() => correct(new Map(lines.map((each) => [each, changes.get(each) ?? null])))}>
            Leave {changes.size > 0 ? 'the others' : lines.length === 1 ? 'it' : 'them'} out
          </Button>
        )}
        {changes.size > 0 && <Button onClick={() => correct(new Map(changes))}>Apply and check again</Button>}
      </p>
      <ol className={css.bad}>
        {bad.map((each) => (
          <li key={`${each.line}${each.code}`}>
            <b className="num">Line {count(each.line)}</b> <span className="mono">{each.code}</span> {each.message}
            {each.text !== '' && (
              <div className={css.offer}>
                <Marked bad={each} />
              </div>
            )}
            {each.text !== '' && each.text.length < 20_000 && (
              <textarea
                rows={2}
                aria-label={`Line ${each.line}, corrected`}
                defaultValue={each.text}
                spellCheck={false}
                onChange={(event) => change(each, event.currentTarget.value === each.text ? undefined : event.currentTarget.value)}
              />
            )}
          </li>
        ))}
      </ol>
    </section>
  );
};

const Mapping = ({
  rows,
  columns,
  setColumns,
}: {
  rows: string[][];
  columns: Record<string, string>;
  setColumns: (columns: Record<string, string>) => void;
}) => {
  const header = rows[0] ?? [];
  const choose = (input: string) => (value: string | null) => {
    const { [input]: _, ...rest } = columns;
    setColumns(value === null ? rest : { ...rest, [input]: value });
  };
  return (
    <>
      <div className={css.fields} style={{ marginTop: 10 }}>
        {[
          ['smiles', 'Column of the molecules'],
          ['id', 'Column that names the rows'],
        ].map(([input, label]) => (
          <Select
            key={input}
            label={label}
            placeholder="as its name says"
            data={[...new Set(header)].filter(Boolean)}
            value={columns[input!] ?? null}
            onChange={choose(input!)}
            clearable
            comboboxProps={{ shadow: 'md' }}
          />
        ))}
      </div>
      <div className={css.wide} tabIndex={0} role="region" aria-label="First rows">
        <table className={css.table}>
          <thead>
            <tr>
              {header.map((name, i) => (
                <th key={i}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(1, 6).map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
};

interface Props {
  picked: Picked | null;
  take: (file: File) => void;
  clear: () => void;
  correct: (changes: Map<BadLine, string | null>) => void;
  columns: Record<string, string>;
  setColumns: (columns: Record<string, string>) => void;
}

/** The file: chosen, looked at, and mended before it goes anywhere. */
export const FilePart = ({ picked, take, clear, correct, columns, setColumns }: Props) => {
  if (picked === null) return <Drop take={take} />;
  const { file, checking, checked, rows } = picked;
  return (
    <>
      <div className={css.file}>
        <b>{file.name}</b>
        <span className="quiet num">{bytes(file.size)}</span>
        {checking !== null && <Status of="validating" word={`Checking, ${count(checking.lines)} lines so far`} />}
        {checked && checked.badCount === 0 && <Status of="completed" word={`${plural(checked.lines, 'request')}, all well formed`} />}
        <span style={{ flex: 1 }} />
        <Button variant="subtle" color="gray" c="var(--ink-2)" leftSection={<IconX size={14} aria-hidden />} onClick={clear}>
          Another file
        </Button>
      </div>
      {rows !== null && rows.length > 0 && <Mapping rows={rows} columns={columns} setColumns={setColumns} />}
      {picked.first.length > 0 && (
        <div className={css.first} tabIndex={0} role="region" aria-label="First lines">
          {picked.first.map((line, i) => (
            <div key={i}>{line.slice(0, 400)}</div>
          ))}
        </div>
      )}
      {checked && checked.badCount > 0 && <BadLines key={file.size + file.lastModified} checked={checked} correct={correct} />}
    </>
  );
};
