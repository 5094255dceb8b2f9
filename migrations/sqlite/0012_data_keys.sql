-- The keys of records' encrypted values, each wrapped by a master key that is not in the database (src/store/vault.rs).
create table sys_data_key (
    record integer primary key,
    master integer not null,
    wrapped text not null,
    made_at integer not null
) strict;
create index ix_sys_data_key_master on sys_data_key (master);
