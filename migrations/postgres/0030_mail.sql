-- E-mail that is to go out or went out (src/store/mails.rs). Who is written to, and what, is encrypted with a key of the
-- message; addresses that take nothing are known by a keyed hash alone.
create table sys_mail (
    id bigint primary key,
    message text collate "C" not null,
    source text collate "C" not null,
    template text collate "C",
    entity text collate "C",
    record bigint,
    holder bigint,
    address text collate "C" not null,
    sealed text collate "C",
    is_secret boolean not null,
    state text collate "C" not null,
    attempts bigint not null,
    status bigint,
    error text collate "C",
    run bigint,
    step text collate "C",
    made_at timestamptz not null,
    sent_at timestamptz
);
create index ix_sys_mail_record on sys_mail (record);
create index ix_sys_mail_holder on sys_mail (holder);
create index ix_sys_mail_made on sys_mail (made_at);
create index ix_sys_mail_sent on sys_mail (sent_at);

create table sys_mail_stop (
    address text collate "C" primary key,
    mail bigint not null,
    status bigint,
    error text collate "C",
    made_at timestamptz not null
);
