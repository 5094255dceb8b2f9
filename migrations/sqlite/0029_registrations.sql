-- Claims that people filed on records, and what became of them (src/store/registrations.rs).
create table sys_registration (
    id integer primary key,
    registration text not null,
    entity text not null,
    record integer not null,
    filer integer not null,
    state text not null,
    filed_at integer not null,
    until_at integer,
    extended integer not null,
    against text not null,
    comment text,
    ended_at integer,
    ended_by integer not null,
    reason text,
    warned integer not null
) strict;
create index ix_sys_registration_record on sys_registration (record, id);
create index ix_sys_registration_filer on sys_registration (filer, id);
create index ix_sys_registration_until on sys_registration (until_at) where state = 'protected';
create index ix_sys_registration_contested on sys_registration (entity, registration, id) where state = 'contested';
create unique index ux_sys_registration_live on sys_registration (record, registration) where state in ('protected', 'contested');
