//! The bottom floor: values, ids, money, clock, randomness, locale, text folding and the `Explain`
//! trait of errors. It does no IO and knows nothing of definitions, databases or the web.

pub mod alike;
pub mod cell;
pub mod clock;
pub mod decimal;
pub mod explain;
pub mod id;
pub mod ix;
pub mod json;
pub mod locale;
pub mod money;
pub mod random;
pub mod sealed;
pub mod system;
pub mod text;
pub mod time;
pub mod value;

pub use cell::Cell;
pub use clock::{Clock, FixedClock, Stopwatch, SystemClock};
pub use decimal::Decimal;
pub use explain::Explain;
pub use id::{IdMint, RecordId};
pub use ix::{EntityIx, FieldIx};
pub use locale::{Labels, Locale};
pub use money::{Currency, Money};
pub use random::{Random, SeededRandom, SystemRandom};
pub use sealed::{Blind, Sealed};
pub use time::{Date, DateTime, Time};
pub use value::Value;
