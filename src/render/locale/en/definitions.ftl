# The definitions: what would change, for whom, and former versions.

definitions-title = Definitions
definitions-text = What the files of this workspace would change, and which versions were applied before.
plan-title = What the files would change
plan-none = Nothing: the definitions in force are those of the files.
plan-faults = { $count ->
    [one] The files have a fault. Nothing can be applied until it is mended; the former definitions are in force.
   *[other] The files have { $count } faults. Nothing can be applied until they are mended; the former definitions are in force.
  }
plan-people = Who may do more or less
plan-people-help = Counted with the records of now, for what each person has from all their roles together: the most that one of them gains or loses. Administrators do everything anyway.
plan-people-count = { $count ->
    [0] nobody
    [one] 1 person
   *[other] { $count } people
  }
plan-gains = Gain
plan-losses = Lose
plan-gain-action = { $action }: { $entity }
plan-gain-field = { $action }: { $entity }, field { $field }
plan-gain-records = { $action }: { $count ->
    [one] 1 record
   *[other] { $count } records
  } of { $entity }
plan-gain-at-least = { $action }: at least { $count ->
    [one] 1 record
   *[other] { $count } records
  } of { $entity }
plan-gain-more = { $action }: more than { $count } records of { $entity }
plan-gain-uncounted = { $action }: records of { $entity }, not counted
plan-changes = Changes
plan-change = Change
plan-what = What
plan-effect = Effect
plan-risk = Care
plan-accept = Accept what hides values or lets somebody do more
plan-accept-one = { $what }: { $effect }
plan-accept-role = { $role } ({ $people }): { $what }
plan-apply = Apply
plan-again = Look again
plan-is-blocked = Some changes cannot be made with the records that are there.
plan-stranded = { $records } records stand in { $stages } of the pipeline { $pipeline }, which is gone. Move them first, or keep the stage with “retired: true”.
plan-blocked = { $groups } groups with { $records } records share a value of { $fields }. Merge or change them first.
plan-is-another = The files or the definitions have changed meanwhile. This is what they would change now.
plan-not-accepted = Not everything that has to be accepted was.
plan-not-applied = Nothing was applied.
done-applied = The definitions are in force.
plan-risk-meta = none
plan-risk-additive = adds
plan-risk-online = takes time
plan-risk-data-dependent = depends on records
plan-risk-breaking-api = breaks programs
plan-risk-widening-access = widens access
plan-risk-hides = hides values
plan-effect-meta = Definitions only
plan-effect-new-table = A table with { $fields } fields, { $indexes } indexes and { $views } views
plan-effect-records-back = { $count ->
    [one] 1 record comes back
   *[other] { $count } records come back
  }
plan-effect-records-hidden = { $count ->
    [one] 1 record is hidden; it stays in its table
   *[other] { $count } records are hidden; they stay in their table
  }
plan-effect-values-back = { $count ->
    [one] 1 value comes back
   *[other] { $count } values come back
  }
plan-effect-values-hidden = { $count ->
    [one] 1 value is hidden; it stays in the table
   *[other] { $count } values are hidden; they stay in the table
  }
plan-effect-lacking = { $count ->
    [one] 1 record lacks it until it is saved again
   *[other] { $count } records lack it until they are saved again
  }
plan-effect-computed = { $count ->
    [one] Computed for 1 record
   *[other] Computed for { $count } records
  }
plan-effect-columns = { $count ->
    [0] No column
    [one] Column { $name }
   *[other] { $count } columns
  }
plan-effect-unique = An index that keeps values unique
plan-effect-index = { $count ->
    [one] An index over 1 record
   *[other] An index over { $count } records
  }
plan-effect-index-dropped = The index is dropped
plan-effect-entity-renamed = Was { $name }; records and ids stay
plan-effect-field-renamed = Was { $name }; all values stay
plan-effect-field-answered = Was { $name }, which is still answered
plan-effect-keep-it = { $count ->
    [one] 1 record keeps it
   *[other] { $count } records keep it
  }
plan-effect-role = See who may do more or less
plan-effect-exposed = Shown to everybody who reads the field, whatever it is computed from
plan-opened-everybody = everybody
plan-opened-roles = { $roles } ({ $people })
plan-opened-gates = { $who } may pass over its gates, with a reason
plan-opened-move = { $from } → { $to } is for { $who }
plan-kind-create-entity = New entity
plan-kind-retire-entity = Entity hidden
plan-kind-restore-entity = Entity back
plan-kind-rename-entity = Entity renamed
plan-kind-change-entity = Entity changed
plan-kind-create-field = New field
plan-kind-retire-field = Field hidden
plan-kind-restore-field = Field back
plan-kind-rename-field = Field renamed
plan-kind-change-field = Field changed
plan-kind-create-option = New option
plan-kind-retire-option = Option hidden
plan-kind-restore-option = Option back
plan-kind-change-option = Option changed
plan-kind-create-unique = New unique
plan-kind-drop-unique = Unique dropped
plan-kind-create-index = New index
plan-kind-drop-index = Index dropped
plan-kind-create-part = New
plan-kind-remove-part = Removed
plan-kind-change-part = Changed
versions-title = Versions applied
versions-none = None yet.
version-number = Version
version-current = in force
version-at = Applied
version-by = By
version-by-program = the command line
version-digest = Digest
