-- What duplicates are found by: one row for each key of a record (src/store/matches.rs).
create table sys_match (
    key integer not null,
    record integer not null,
    primary key (key, record)
) strict, without rowid;
create index sys_match_record on sys_match (record);
