-- What people are told inside the program (src/store/notifications.rs). No value of a record is kept here.
create table sys_notification (
    id bigint primary key,
    person bigint not null,
    source text collate "C" not null,
    said text collate "C" not null,
    entity text collate "C",
    record bigint,
    at timestamptz not null,
    read_at timestamptz
);
create index ix_sys_notification_person on sys_notification (person, id);
create index ix_sys_notification_unread on sys_notification (person) where read_at is null;
create index ix_sys_notification_at on sys_notification (at);
