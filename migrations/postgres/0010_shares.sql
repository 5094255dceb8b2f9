-- Records shared with a person, a team (with those below it) or a role (src/store/shares.rs). What has ended stays until the
-- record is shared again: the moment of a request decides.
create table sys_share (
    id bigint primary key,
    entity text collate "C" not null,
    record bigint not null,
    holder text collate "C" not null,
    may_edit bigint not null,
    ends_at timestamptz,
    created_at timestamptz not null,
    created_by bigint not null
);
create unique index ux_sys_share_record on sys_share (entity, record, holder);
create index ix_sys_share_holder on sys_share (holder, entity, record, may_edit, ends_at);
