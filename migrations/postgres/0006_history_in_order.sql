-- PostgreSQL keeps rows in the order in which they come already.
comment on table sys_history is 'One row a save, in the order of the saves.';
