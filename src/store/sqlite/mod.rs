//! The embedded database: one writing connection on its own thread, a pool of readers, a checkpointer.

pub(super) mod backup;
pub(super) mod checkpoint;
pub(super) mod connect;
pub(super) mod fault;
pub(super) mod folder;
pub(super) mod link;
pub(super) mod migrate;
pub(super) mod reader;
pub(super) mod run;
pub(super) mod writer;
