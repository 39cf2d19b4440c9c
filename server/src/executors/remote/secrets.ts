const mask = '[redacted]';

/** Names of headers whose values are nobody's business. */
const telling = /auth|key|token|secret|cookie|password/i;

/** The values among an upstream's headers that must not be seen again. */
export const secretsOf = (headers: Readonly<Record<string, string>>): string[] =>
  Object.entries(headers)
    .filter(([name]) => telling.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\w+\s+/, '')]);

/**
 * Takes secrets out of what an upstream said: some repeat the key they refuse. Words of fewer than `least` letters
 * stay: placeholders such as `none` stand where no key is needed, and a model may say them.
 */
export const redactor = (secrets: readonly string[], least: number): ((text: string) => string) => {
  const forms = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // The longest first: the shorter ones may be part of it.
  const all = [...new Set(forms)].filter((form) => form.length >= least).sort((a, b) => b.length - a.length);
  return (text) => all.reduce((masked, secret) => (masked.includes(secret) ? masked.replaceAll(secret, mask) : masked), text);
};
