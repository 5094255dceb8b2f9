-- What someone is in the middle of proving: between a right password and a code, for example. By the hash of its secret.
create table sys_challenge (
    hash text collate "C" primary key,
    purpose text collate "C" not null,
    user_id bigint not null,
    data text collate "C" not null,
    expires_at timestamptz not null
);
create index ix_sys_challenge_expires on sys_challenge (expires_at);

-- Codes of an authenticator app (RFC 6238). A code of `last_step` or before is used up.
create table sys_totp (
    user_id bigint primary key,
    secret text collate "C" not null,
    confirmed_at timestamptz,
    last_step bigint not null
);

create table sys_recovery_code (
    hash text collate "C" primary key,
    user_id bigint not null
);
create index ix_sys_recovery_code_user on sys_recovery_code (user_id);
