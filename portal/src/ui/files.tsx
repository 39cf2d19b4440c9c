import { IconDownload } from '@tabler/icons-react';
import { bytes } from '../lib/format.ts';
import css from './files.module.css';

/** Files to download, each with its size. */
export const FileList = ({ files }: { files: readonly { name: string; url: string; bytes: number }[] }) => (
  <ul className={css.files}>
    {files.map(({ name, url, bytes: size }) => (
      <li key={name}>
        <a className="link mono" href={url} download>
          <IconDownload size={13} aria-hidden /> {name}
        </a>
        <span className="quiet num">{bytes(size)}</span>
      </li>
    ))}
  </ul>
);
