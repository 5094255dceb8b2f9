//! Definitions made at random: two entities and what hangs below them, with fields that are never, sometimes or always read.

/// A stream of numbers from a seed (xorshift64*), so that every run asks the same.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).expect("31 bits") % end
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub fn word<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// How far a field of `item` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    Open,
    /// Read where the second role grants the record.
    Partly,
    Hidden,
}

/// What kind of values a field of `item` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
    Tags,
    Money,
    Date,
    Choice,
    File,
    Sealed,
    AnyLink,
    Person,
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub sight: Sight,
}

#[derive(Debug)]
pub struct Plan {
    pub files: Vec<(String, String)>,
    pub fields: Vec<Field>,
    /// Role one reads `shade < most`, role two `shade >= least and shade < 8`.
    pub most: usize,
    pub least: usize,
    /// Role one changes and shares `shade < sharing`.
    pub sharing: usize,
    /// Totals are kept in the boxes: then a box changes, unseen or not, when an item does.
    pub keeps_totals: bool,
}

impl Plan {
    /// Names of the fields of these kinds.
    pub fn names(&self, kinds: &[Kind]) -> Vec<&str> {
        self.fields.iter().filter(|field| kinds.contains(&field.kind)).map(|field| field.name.as_str()).collect()
    }
}

/// `box` holds `item`s, an `item` has `leaf`s, links, tags and computed values. Rules are on `shade`, which everybody reads.
pub fn plan(dice: &mut Dice) -> Plan {
    let mut fields = Vec::new();
    let mut declared = String::new();
    let kinds = [
        ("n0", Kind::Number, "{type: integer}"),
        ("n1", Kind::Number, "{type: integer}"),
        ("n2", Kind::Number, "{type: integer}"),
        ("n3", Kind::Number, "{type: integer, index: true}"),
        ("t0", Kind::Text, "{type: text, search: true}"),
        ("t1", Kind::Text, "{type: text, search: true}"),
        ("t2", Kind::Text, "{type: text, search: true}"),
        ("tags", Kind::Tags, "{type: tags}"),
        ("price", Kind::Money, "{type: money, currency: EUR}"),
        ("due", Kind::Date, "{type: date}"),
        ("kind", Kind::Choice, "{type: select, options: [red, green, blue]}"),
        ("papers", Kind::File, "{type: file}"),
        ("pin", Kind::Sealed, "{type: text, class: sensitive, encrypted: true}"),
        ("origin", Kind::AnyLink, "{type: any_link, to: [box, item]}"),
        ("keeper", Kind::Person, "{type: user}"),
    ];
    for (name, kind, declaration) in kinds {
        let sight = match dice.below(3) {
            0 => Sight::Open,
            1 => Sight::Partly,
            _ => Sight::Hidden,
        };
        fields.push(Field { name: name.to_owned(), kind, sight });
        declared.push_str(&format!("  {name}: {declaration}\n"));
    }
    let keeps_totals = dice.one_in(3);
    let views = format!(
        "views:\n  - {{id: all, label: All, columns: [t0, {0}, {1}]}}\n  - {{id: odd, label: Odd, columns: [{2}, shade], filter: \"{3} > 3\", sort: [-{4}]}}\n",
        dice.of(&["n0", "t1", "price"]),
        dice.of(&["tags", "twice", "far"]),
        dice.of(&["t2", "due", "via", "kind"]),
        dice.of(&["n0", "n1", "n2"]),
        dice.of(&["n1", "n3", "t0"]),
    );
    // What a move from one stage to the next would need is told to whoever asks; which pipeline is followed may depend on what is
    // hidden.
    let fast = format!(
        "  - id: fast\n    when: \"{}\"\n    field: stage\n    stages: [{{key: new}}, {{key: offer}}, {{key: won, closed: won}}]\n    gates:\n      - {{id: quick, to: offer, require: [{{fields: [{}]}}]}}\n",
        dice.of(&["n0 > 5", "n1 > 5", "n2 > 5", "n3 > 5", "due is not null", "kind = 'red'"]),
        dice.of(&["n1", "price", "due"]),
    );
    let fast = if dice.one_in(3) { String::new() } else { fast };
    let pipeline = format!(
        r#"pipelines:
{fast}  - id: way
    field: stage{}
    stages: [{{key: new}}, {{key: offer}}, {{key: won, closed: won}}]
    gates:
      - {{id: first, to: offer, require: [{{fields: [{}, {}]}}, {{expr: "{} > 5", message: More}}]}}
      - {{id: last, to: won, when: "{} is not null", require: [{{expr: "{}", message: Others}}]}}
"#,
        dice.of(&["", "\n    override: [one]", "\n    amount: n1", "\n    amount: n2\n    override: [two]"]),
        dice.of(&["n0", "due", "kind"]),
        dice.of(&["n1", "price", "origin", "keeper"]),
        dice.of(&["n2", "far", "twice", "box.secret"]),
        dice.of(&["n3", "via", "due", "tick"]),
        dice.of(&["exists(leaves where n > 3)", "exists(friends where secret > 20)", "box.secret > 10", "weight > 4"]),
    );
    let entities = format!(
        r#"kind: entity
id: box
label: Box
title: "{{name}}"
features: {{owner: false}}
fields:
  name: {{type: text, required: true, search: true}}
  shade: {{type: integer, required: true, index: true}}
  secret: {{type: integer}}
  whole: {{type: rollup, of: items, agg: "sum(n0)", returns: integer, stored: {keeps_totals}}}
  most: {{type: rollup, of: items, agg: "max(n1)", returns: integer, stored: {keeps_totals}}}
  many: {{type: rollup, of: items, agg: "count()", returns: integer, stored: {keeps_totals}}}
---
kind: entity
id: item
label: Item
title: "{{t0}} {{t1}}"
features: {{owner: false}}
fields:
  shade: {{type: integer, required: true}}
  stage: {{type: select, options: [new, offer, won], default: new}}
  code: {{type: text, unique: true}}
  tick: {{type: integer}}
  box: {{type: link, to: box, on_delete: cascade, inverse: items}}
  friends: {{type: links, to: box}}
  leaves: {{type: children, of: leaf, by: item}}
{declared}  twice: {{type: formula, expr: "coalesce(n0, 0) * 2 + coalesce(n2, 1)", returns: integer}}
  far: {{type: formula, expr: "box.secret + n1", returns: integer, stored: false}}
  via: {{type: lookup, via: box, field: secret}}
  name_of: {{type: lookup, via: box, field: name}}
  weight: {{type: rollup, of: leaves, agg: "sum(n)", returns: integer, stored: false}}
duplicates: [{{id: same, match: [{{field: shade}}]}}, {{id: named, match: [{{field: t0}}]}}]
conversions: [{{id: part, targets: [{{id: leaf, entity: leaf, existing: never, values: {{label: "=coalesce(t0, 'leaf')"}}, links: {{item: record}}}}], set: {{tick: 2}}}}]
{pipeline}{views}---
kind: entity
id: leaf
label: Leaf
title: "{{label}}"
features: {{owner: false}}
fields:
  item: {{type: link, to: item, on_delete: cascade, required: true}}
  label: {{type: text, required: true, search: true}}
  n: {{type: integer}}
---
kind: entity
id: mark
label: Mark
features: {{owner: false}}
fields:
  item: {{type: link, to: item, on_delete: cascade}}
  stars: {{type: rating, max: 5}}
  good: {{type: boolean}}
---
kind: survey
id: liked
for: item
answers: mark
run_as: [user]
questions: [{{field: stars}}, {{field: good}}]
"#
    );
    let listed = |wanted: fn(Sight) -> bool| {
        let names = fields.iter().filter(|field| wanted(field.sight)).map(|field| field.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let hidden = listed(|sight| sight != Sight::Open);
    let never = listed(|sight| sight == Sight::Hidden);
    let (most, least) = (3 + dice.below(4), dice.below(4));
    let (sharing, exporting) = (1 + dice.below(most), dice.below(8));
    let roles = format!(
        r#"kind: role
id: one
permissions:
  core.user: {{fields: {{hide: [phone]}}}}
  core.consent: {{rows: "purpose = 'contact'", fields: {{hide: [wording]}}}}
  box: {{rows: "shade < {most}", fields: {{hide: [secret]}}}}
  item: {{rows: "shade < {most}", update: "shade < {sharing}", share: "shade < {sharing}", export: "shade < {exporting}", fields: {{hide: [{hidden}]}}}}
  leaf: {{inherit: item, fields: {{hide: [n]}}}}
  mark: {{inherit: item, fields: {{hide: [good]}}}}
---
kind: role
id: two
permissions:
  item: {{read: "shade >= {least} and shade < 8", fields: {{hide: [{never}]}}}}
"#
    );
    let files = vec![
        ("definitions/p/package.yaml".to_owned(), "kind: package\nid: p\n".to_owned()),
        ("definitions/p/entities.yaml".to_owned(), entities),
        ("definitions/p/roles.yaml".to_owned(), roles),
    ];
    Plan { files, fields, most, least, sharing, keeps_totals }
}
