//! Registrations: filing, conflicts with what the filer may not read, deciding, extending, expiry, what is locked.

mod filing;
mod gates;
mod pages;
mod time;
mod world;
