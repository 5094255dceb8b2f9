//! A bound on what one run holds in memory, over all its variables.
//!
//! rhai's limits are per value: a hundred variables of ten thousand items each would still be allowed. So the variables in
//! sight are weighed from time to time. The weights are estimates of the allocator's cost, on the high side.

use rhai::{Array, Dynamic, Map, Scope};

/// An item of a list or map with its own small allocation.
const ITEM: usize = 48;

/// The weight of all variables of a scope; counting stops soon after `enough`.
pub(super) fn weigh_scope(scope: &Scope<'_>, enough: usize) -> usize {
    let mut total = 0;
    for (_, _, value) in scope.iter_raw() {
        weigh(value, enough, &mut total);
        if total > enough {
            break;
        }
    }
    total
}

fn weigh(value: &Dynamic, enough: usize, total: &mut usize) {
    *total += ITEM;
    // A shared value that is being changed right now is weighed the next time.
    if *total > enough || value.is_shared() && value.is_locked() {
        return;
    }
    if value.is_string() {
        *total += value.read_lock::<rhai::ImmutableString>().map_or(0, |text| text.len());
    } else if let Some(items) = value.read_lock::<Array>() {
        *total += (items.capacity() - items.len()) * size_of::<Dynamic>();
        for item in items.iter() {
            weigh(item, enough, total);
            if *total > enough {
                return;
            }
        }
    } else if let Some(map) = value.read_lock::<Map>() {
        for (name, item) in map.iter() {
            *total += name.len();
            weigh(item, enough, total);
            if *total > enough {
                return;
            }
        }
    }
}
