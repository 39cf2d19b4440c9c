-- Browsers that are signed in. What the cookie holds is not here: whoever reads this table can neither be one of them
-- nor guess at the keys they signed in with.

create table sessions (
  -- SHA-256 of the cookie's secret
  id         bytea primary key check (length(id) = 32),
  tenant_id  text not null,
  user_id    text not null,
  -- SHA-256 of the secret and the key: says which key it was to whoever has both
  key_mark   bytea not null check (length(key_mark) = 32),
  agent      text not null default '',
  created_at timestamptz not null default now(),
  -- to the minute
  seen_at    timestamptz not null default now(),
  -- whatever is done with it meanwhile
  ends_at    timestamptz not null
);

-- When a key was used last, to the minute.
create table key_uses (
  key_id       text primary key,
  last_used_at timestamptz not null default now()
);
