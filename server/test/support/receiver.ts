import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createStored } from '../../src/files/files.ts';
import { receive } from '../../src/files/receive.ts';
import { openDisk } from '../../src/storage/disk.ts';

/** A process that only receives files, to measure its memory: tells its port, answers with bytes and peak memory. */
const disk = await openDisk(process.argv[2]!);
const answer = async (request: IncomingMessage, response: ServerResponse) => {
  const { made } = await receive(request, {
    file: 'file',
    onField: () => {},
    onFile: (bytes, filename, signal) => createStored(disk, { tenant: 't', filename, purpose: 'batch', bytes, signal }),
    discard: ({ key }) => disk.delete(key),
  });
  response.end(JSON.stringify({ bytes: made.bytes, peak: process.resourceUsage().maxRSS * 1024 }));
};
const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
