-- Who did what: rows are only ever added, each signed together with the one before it (src/store/audit.rs).

create table sys_audit (
    seq integer primary key,
    at integer not null,
    actor integer not null,
    actor_kind text not null,
    action text not null,
    entity text,
    record integer,
    field text,
    origin text not null,
    request text not null,
    detail text not null,
    mac text not null
) strict;
create index ix_sys_audit_actor on sys_audit (actor, seq);
create index ix_sys_audit_action on sys_audit (action, seq);
create index ix_sys_audit_record on sys_audit (record, seq) where record is not null;

create trigger tr_sys_audit_update before update on sys_audit
begin
    select raise(abort, 'the audit is append-only');
end;
create trigger tr_sys_audit_delete before delete on sys_audit
begin
    select raise(abort, 'the audit is append-only');
end;
