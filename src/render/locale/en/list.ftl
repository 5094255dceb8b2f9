# Lists, filters, the recycle bin, pickers.

list-views = Views
list-all = All
list-search = Search { $entity }
list-caption = { $entity }
list-no-match = Nothing matches
list-no-match-hint = Take a condition away or change the search text.
list-empty = No { $entity } yet
list-empty-hint = Create the first one here, or import a file with "relata import".
bin-title = Deleted { $entity }
bin-back = Back to { $entity }
bin-short = Recycle bin
bin-empty = The recycle bin is empty
bin-empty-hint = Deleted records stay here until they are restored.
page-more = Load more
page-first = Back to the first page
filter-add = Filter
filter-field = Field
filter-operator = Condition
filter-value = Value
filter-apply = Apply
filter-choose-field = Show conditions of this field
filter-clear = Clear filters
filter-remove = Remove the filter { $filter }
filter-advanced = Write a condition
filter-expression = Condition
filter-expression-help = For example: amount >= 1000 and stage != 'won'
filter-bad-value = This value does not fit the field.
op-contains = contains
op-not-contains = does not contain
op-is = is
op-is-not = is not
op-starts = starts with
op-eq = =
op-ne = ≠
op-gt = >
op-ge = ≥
op-lt = <
op-le = ≤
op-on = is on
op-before = is before
op-after = is after
op-empty = is empty
op-not-empty = is not empty
op-yes = is yes
op-no = is no
op-me = is me
op-has = has
picker-type-to-find = Type to find
picker-nothing = Nothing found
picker-id = Id of the record
picker-find-id = Find the id
picker-title = Choose { $entity }
list-count =
    { $count ->
        [one] One record
       *[other] { $count } records
    }
list-count-more = { $count }+ records
