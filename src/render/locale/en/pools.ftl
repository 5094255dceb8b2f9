pools-title = Public pools
pools-none = There is no pool for you
pools-none-hint = Pools are part of the definitions, which say who may claim from them.
pool-open = Open
pool-tab-in = In the pool
pool-tab-held = Held by me
pool-hold = You hold { $held }
pool-hold-of = You hold { $held } of { $cap }
pool-today = { $claimed } of { $most } claimed today
pool-rule-protect = Nobody takes a record away for { $time } after it was got.
pool-rule-reclaim = A record goes back after { $time } without activity.
pool-rule-cool-down = Whoever had a record may have it again after { $time }.
pool-days =
    { $count ->
        [one] one day
       *[other] { $count } days
    }
pool-hours =
    { $count ->
        [one] one hour
       *[other] { $count } hours
    }
pool-minutes =
    { $count ->
        [one] one minute
       *[other] { $count } minutes
    }
pool-find = Find in the pool
pool-filter = Show
pool-select = Choose
pool-claim = Claim what is chosen
pool-more = Next page
pool-empty = Nothing is in the pool
pool-empty-hint = Records come here when they have no owner, and when nobody does anything with them for long enough.
pool-empty-filtered = Nothing in the pool is like this.
pool-choose = Choose 1 to { $most } records.
pool-claimed =
    { $count ->
        [one] One record is yours now.
       *[other] { $count } records are yours now.
    }
pool-refused-many = { $count } of them: { $why }
pool-hand-out = Hand out
pool-hand-out-text = People who may claim are given those that wait longest, as far as they may hold more.
pool-how-many = How many
pool-most = Give a number from 1 to { $most }.
pool-handed-out =
    { $count ->
        [0] Nothing could be handed out: nothing waits, or everybody holds as much as they may.
        [one] One record was handed out.
       *[other] { $count } records were handed out.
    }
pool-since = Held since
pool-active = Last activity
pool-due = Goes back
pool-held-none = You hold nothing of this pool
pool-held-none-hint = What you claim, make or are given stands here, that which goes back first before the others.
pool-box = Public pool
pool-held-by = { $name } holds this for “{ $pool }”.
pool-goes-back = Without activity it goes back
pool-kept = Nobody takes it away until
pool-nobody = Nobody holds this now.
pool-return = Give back
pool-return-reason = Why is it given back?
pool-holders = Who held it
pool-forbidden = Only whoever holds it gives it back, or a manager of the pool; only a manager hands out.
pool-got-claimed = claimed
pool-got-handed-out = handed out
pool-got-assigned = assigned by { $name }
pool-got-made = made
pool-got-restored = restored by { $name }
pool-got-came = came under the pool
pool-lost-returned = given back
pool-lost-reclaimed = went back without activity
pool-lost-taken-back = taken back by { $name }
pool-lost-handed-over = handed over by { $name }
pool-lost-left = left the pool's care
pool-lost-deleted = deleted by { $name }
done-claimed = This record is yours now.
done-returned = The record was given back.
fault-pool-gone = It is not in the pool (any more): somebody else was faster.
fault-pool-cap = You hold { $held } of { $cap } of “{ $label }”. Give one back first.
fault-pool-day = You have claimed { $claimed } of “{ $label }” today, which is what one day allows.
fault-pool-cool-down = You had this record. You may have it again from { $until } on.
fault-pool-refused = This person may not have this record now.
fault-pool-role = “{ $label }” is not for you to claim from.
fault-pool-protected = Whoever has just got this record keeps it for a while.
fault-pool-reason = Give the record back with a reason, on its page.
fault-pool-why = Say why it is given back, in at most { $max } characters.
fault-pool-not-held = Nobody holds this record for a pool.
fault-pool-no-hand-out = The definitions do not say how this pool is handed out.
notification-pool-soon = Without activity this goes back to “{ $label }” soon.
notification-pool-given = This was handed to you from “{ $label }”.
