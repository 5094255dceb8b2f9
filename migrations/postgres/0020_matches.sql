-- What duplicates are found by: one row for each key of a record (src/store/matches.rs).
create table sys_match (
    key bigint not null,
    record bigint not null,
    primary key (key, record)
);
create index sys_match_record on sys_match (record);
