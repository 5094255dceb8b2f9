//! Surveys: inviting, the page that is answered without signing in, what follows from an answer, what came back.

mod answering;
mod definitions;
mod doors;
mod follow;
mod results;
mod rights;
mod world;
