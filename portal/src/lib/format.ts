const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** What is not known is shown as a dash, never as 0. */
export const none = '–';

export const count = (value: number | null | undefined): string => (value === null || value === undefined ? none : whole.format(value));
export const compact = (value: number): string => short.format(value);

/** Per cent of a whole; never 100 before all of it, nor 0 where there is something. */
export const percent = (part: number, total: number): string => {
  if (total <= 0) return '0 %';
  if (part <= 0 || part >= total) return `${part <= 0 ? 0 : 100} %`;
  return `${Math.min(99, Math.max(1, Math.round((100 * part) / total)))} %`;
};

export const bytes = (value: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, unit] = [value, 0];
  for (; size >= 1_000 && unit < units.length - 1; unit++) size /= 1_000;
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
};

/** Seconds as people say them: the two largest units. */
export const duration = (seconds: number | null | undefined): string => {
  if (seconds === null || seconds === undefined) return none;
  const s = Math.max(0, seconds);
  // The times of a record are whole seconds: nothing between two of them is less than one.
  if (s === 0) return '< 1 s';
  if (s < 1) return `${Math.round(s * 1_000)} ms`;
  if (s < 60) return s < 10 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`;
  const minutes = Math.round(s / 60);
  if (s < 3_600) return s < 600 && Math.round(s) % 60 > 0 ? `${Math.floor(s / 60)} min ${Math.round(s) % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 > 0 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 > 0 ? `${days} d ${hours % 24} h` : `${days} d`;
};

const longAgo = (seconds: number): string => {
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
};

/** `5 min ago`, `in 3 h`, `now`. */
export const relative = (at: number, now = Date.now() / 1_000): string => {
  // Beyond two days nobody counts the hours.
  if (at > now + 2 * 86_400) return `in ${longAgo(at - now)}`;
  if (at > now + 5) return `in ${duration(at - now)}`;
  const away = longAgo(Math.abs(now - at));
  return away === 'now' ? away : `${away} ago`;
};

const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

export const absolute = (at: number): string => full.format(at * 1_000);

export const clockOfDay = (at: number): string => clock.format(at * 1_000);

/** The time of day, with the day where it is not today. */
export const clockTime = (at: number, now = Date.now()): string => {
  const date = new Date(at * 1_000);
  return date.toDateString() === new Date(now).toDateString() ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
};

/** The end of a long id tells two apart; its beginning says what it is. */
export const shortId = (id: string): string => {
  const at = id.search(/[-_](?=[^-_]*$)/) + 1;
  return id.length - at <= 10 ? id : `${id.slice(0, at)}${id.slice(at, at + 4)}…${id.slice(-4)}`;
};

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;
