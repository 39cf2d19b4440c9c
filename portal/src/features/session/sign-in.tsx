import '@mantine/core/styles/PasswordInput.css';
import { Button, PasswordInput } from '@mantine/core';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import { session } from '../../lib/session.ts';
import { useTitle } from '../../ui/page.tsx';
import css from './sign-in.module.css';

/** Only addresses of this portal: another site's would be a trap. */
const safe = (next: unknown): string => (typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/');

const SignIn = () => {
  const { next } = useSearch({ strict: false }) as { next?: string };
  const router = useRouter();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useTitle('Sign in');
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('key');
    const key = typeof given === 'string' ? given.trim() : '';
    if (key === '') return setError('Enter an API key.');
    setBusy(true);
    session
      .signIn(key)
      .then((wrong) => {
        setError(wrong);
        if (wrong === null) router.history.push(safe(next));
      })
      .catch(() => setError('The server cannot be reached.'))
      .finally(() => setBusy(false));
  };
  return (
    <main className={css.room}>
      <div className={css.card}>
        <div className={css.brand}>
          <img src="/icon.svg" width={30} height={30} alt="" />
          <h1>Sign in to Sluice</h1>
        </div>
        <form className={css.form} onSubmit={submit} noValidate>
          <PasswordInput name="key" label="API key" autoComplete="current-password" autoFocus spellCheck={false} size="sm" error={error} />
          <Button type="submit" loading={busy} size="sm" styles={{ root: { height: 36 } }}>
            Sign in
          </Button>
        </form>
        <p className={css.hint}>
          The first start prints a key, and keeps it in the <span className="mono">.sluice</span> folder. The browser holds a session, not
          the key.
        </p>
      </div>
    </main>
  );
};

export default SignIn;
