//! Definitions that many tests share.

/// A small CRM: accounts, deals with lines, and things that must be there for the API's rules.
pub const CRM: [(&str, &str); 6] = [
    ("relata.yaml", "name: Shop\ncurrency: CNY\nlocale: en\ntime_zone: Asia/Shanghai\n"),
    ("definitions/shop/package.yaml", "kind: package\nid: shop\nversion: 0.1.0\nlabel: Shop\ndepends: [core]\n"),
    (
        "definitions/shop/entities/account.yaml",
        r#"
kind: entity
id: shop.account
label: {en: Account, zh-CN: 客户}
label_plural: Accounts
title: "{name}"
fields:
  name: {type: text, max: 80, required: true, search: true}
  code: {type: text, max: 20, unique: true}
  industry: {type: select, options: [{key: retail, label: Retail}, {key: software, label: Software}]}
  employees: {type: integer, min: 0, max: 1000000}
  deals: {type: children, of: shop.deal, by: account}
"#,
    ),
    (
        "definitions/shop/entities/deal.yaml",
        r#"
kind: entity
id: shop.deal
label: {en: Deal, zh-CN: 商机}
label_plural: Deals
title: "{name}"
fields:
  name: {type: text, max: 100, required: true, search: true}
  account: {type: link, to: shop.account, required: true, on_delete: restrict}
  stage:
    type: select
    default: open
    index: true
    options: [{key: open, label: Open}, {key: won, label: Won}, {key: lost, label: Lost}]
  amount: {type: money, currency: CNY, min: 0}
  discount: {type: percent, scale: 2, max: 60}
  close_on: {type: date, index: true}
  lost_reason: {type: text, max: 100, required_if: "stage = 'lost'"}
  net: {type: formula, returns: money, expr: "amount * (1 - discount / 100)", stored: true}
  lines: {type: children, of: shop.line, by: deal}
  lines_sum: {type: rollup, of: lines, agg: "sum(total)", returns: integer, stored: true}
"#,
    ),
    (
        "definitions/shop/entities/line.yaml",
        r#"
kind: entity
id: shop.line
label: Line
label_plural: Lines
title: "{product}"
fields:
  deal: {type: link, to: shop.deal, required: true, on_delete: cascade}
  product: {type: text, max: 80, required: true}
  quantity: {type: integer, min: 1, default: 1}
  total: {type: integer, default: 0}
"#,
    ),
    (
        "definitions/shop/entities/contract.yaml",
        r#"
kind: entity
id: shop.contract
label: Contract
label_plural: Contracts
title: "{number}"
concurrency: required
fields:
  number: {type: text, max: 30, required: true}
  year: {type: integer, required: true}
unique:
  - {name: number_year, fields: [number, year]}
"#,
    ),
];

/// One entity with a field of every type a request can write.
pub const KITCHEN: [(&str, &str); 3] = [
    ("definitions/sink/package.yaml", "kind: package\nid: sink\nversion: 0.1.0\nlabel: Sink\ndepends: [core]\n"),
    (
        "definitions/sink/entities/tag_holder.yaml",
        "kind: entity\nid: sink.target\nlabel: Target\nlabel_plural: Targets\ntitle: \"{name}\"\nfields:\n  name: {type: text, max: 50, required: true}\n",
    ),
    (
        "definitions/sink/entities/thing.yaml",
        r##"
kind: entity
id: sink.thing
label: Thing
label_plural: Things
title: "{name}"
fields:
  number: {type: auto_number, format: "T-{seq:5}"}
  name: {type: text, max: 60, required: true, search: true}
  story: {type: long_text}
  page: {type: rich_text}
  mail: {type: email}
  phone: {type: phone}
  site: {type: url}
  count: {type: integer, min: -100, max: 100}
  ratio: {type: decimal, scale: 3}
  share: {type: percent, scale: 2}
  price: {type: money, currency: record}
  done: {type: boolean}
  day: {type: date}
  moment: {type: datetime}
  hour: {type: time}
  length: {type: duration}
  color: {type: color}
  stars: {type: rating, max: 5}
  kind: {type: select, options: [{key: a, label: A}, {key: b, label: B}]}
  kinds: {type: multi_select, options: [{key: x, label: X}, {key: y, label: Y}, {key: z, label: Z}]}
  labels: {type: tags}
  target: {type: link, to: sink.target, on_delete: set_null}
  any: {type: any_link, to: [sink.target, core.user], on_delete: set_null}
  keeper: {type: user, on_delete: set_null}
  place: {type: address}
  person: {type: person_name}
  spot: {type: geo}
  data: {type: json}
  papers: {type: file}
  pictures: {type: image}
  double: {type: formula, returns: integer, expr: "count * 2", stored: true}
"##,
    ),
];
