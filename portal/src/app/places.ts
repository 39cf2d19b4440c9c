const places: [RegExp, (id: string) => string][] = [
  [/\bbatch_req_[0-9a-f]{32}\b/, (id) => `/requests/${id}`],
  [/\bbatch_[0-9a-f]{32}\b/, (id) => `/batches/${id}`],
  [/\bjob_[0-9a-f]{24}\b/, (id) => `/jobs/${id}`],
  [/\bop_[0-9a-f]{8,}\b/, (id) => `/bulk/${id}`],
  [/\bfile-[A-Za-z0-9]{8,}\b/, (id) => `/files?id=${id}`],
  [/\bworker_[A-Za-z0-9]{4,}\b/, (id) => `/workers?id=${id}`],
];

/** Where a text leads before anything is asked: an address of this server, or an id, also with other words round it. */
export const placeOf = (text: string, origin: string): string | null => {
  if (text.startsWith(`${origin}/`) && !text.startsWith(`${origin}/v1/`)) return text.slice(origin.length);
  for (const [pattern, place] of places) {
    const id = pattern.exec(text)?.[0];
    if (id !== undefined) return place(id);
  }
  return null;
};
