-- Claims that people filed on records, and what became of them (src/store/registrations.rs).
create table sys_registration (
    id bigint primary key,
    registration text collate "C" not null,
    entity text collate "C" not null,
    record bigint not null,
    filer bigint not null,
    state text collate "C" not null,
    filed_at timestamptz not null,
    until_at timestamptz,
    extended bigint not null,
    against text collate "C" not null,
    comment text collate "C",
    ended_at timestamptz,
    ended_by bigint not null,
    reason text collate "C",
    warned boolean not null
);
create index ix_sys_registration_record on sys_registration (record, id);
create index ix_sys_registration_filer on sys_registration (filer, id);
create index ix_sys_registration_until on sys_registration (until_at) where state = 'protected';
create index ix_sys_registration_contested on sys_registration (entity, registration, id) where state = 'contested';
create unique index ux_sys_registration_live on sys_registration (record, registration) where state in ('protected', 'contested');
