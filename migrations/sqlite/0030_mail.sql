-- E-mail that is to go out or went out (src/store/mails.rs). Who is written to, and what, is encrypted with a key of the
-- message; addresses that take nothing are known by a keyed hash alone.
create table sys_mail (
    id integer primary key,
    message text not null,
    source text not null,
    template text,
    entity text,
    record integer,
    holder integer,
    address text not null,
    sealed text,
    is_secret integer not null,
    state text not null,
    attempts integer not null,
    status integer,
    error text,
    run integer,
    step text,
    made_at integer not null,
    sent_at integer
) strict;
create index ix_sys_mail_record on sys_mail (record);
create index ix_sys_mail_holder on sys_mail (holder);
create index ix_sys_mail_made on sys_mail (made_at);
create index ix_sys_mail_sent on sys_mail (sent_at);

create table sys_mail_stop (
    address text primary key,
    mail integer not null,
    status integer,
    error text,
    made_at integer not null
) strict;
