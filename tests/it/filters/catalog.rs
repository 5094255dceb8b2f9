//! A small catalog made by hand: every field type, links of all kinds, indexes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use relata::base::{Currency, EntityIx, FieldIx, Labels, Locale};
use relata::expr::{self, Expected};
use relata::schema::catalog::*;
use relata::schema::field_type::{columns_of, has_side_table, needs_fold};
use relata::schema::{CatalogScope, expr_type};

const USER: EntityIx = EntityIx(0);

const ACCOUNT: EntityIx = EntityIx(2);
const CONTACT: EntityIx = EntityIx(3);
const PRODUCT: EntityIx = EntityIx(4);
const DEAL: EntityIx = EntityIx(5);
const LINE: EntityIx = EntityIx(6);
const DEAL_PRODUCT: EntityIx = EntityIx(7);

/// The catalog of the golden cases.
pub fn catalog() -> Catalog {
    let mut catalog = empty();
    let text = || FieldType::Text { min: None, max: 200, pattern: None };
    let link = |to| FieldType::Link { to, on_delete: OnDelete::Restrict, inverse: None, filter: None };
    let decimal = |scale| FieldType::Decimal { scale, min: None, max: None };
    let cny = Currency::parse("CNY").unwrap();
    let money = |scale, currency| FieldType::Money { scale, currency, min: None, max: None };

    push(&mut catalog, "user", "usr", &["name"], vec![("name", text()), ("email", FieldType::Email)]);
    push(&mut catalog, "file", "file", &["name"], vec![("name", text())]);
    push(
        &mut catalog,
        "account",
        "acc",
        &["name"],
        vec![
            ("name", text()),
            ("industry", select(&["software", "retail", "other"])),
            ("parent", link(ACCOUNT)),
            ("revenue", money(2, MoneyCurrency::Fixed(cny))),
            ("home", FieldType::Address),
        ],
    );
    push(
        &mut catalog,
        "contact",
        "con",
        &["name"],
        vec![("name", FieldType::PersonName), ("account", link(ACCOUNT)), ("birthday", FieldType::Date { min: None, max: None })],
    );
    push(&mut catalog, "product", "prd", &["name"], vec![("name", text()), ("price", decimal(2))]);
    push(
        &mut catalog,
        "deal",
        "deal",
        &["number", " · ", "name"],
        vec![
            ("number", FieldType::AutoNumber { format: "D-{seq:5}".into(), reset: Reset::Never }),
            ("name", text()),
            ("account", link(ACCOUNT)),
            ("stage", select(&["new", "proposal", "won", "lost"])),
            ("amount", money(2, MoneyCurrency::Record)),
            ("discount", FieldType::Percent { scale: 2, min: None, max: None }),
            ("close_on", FieldType::Date { min: None, max: None }),
            ("closed_at", FieldType::DateTime),
            ("call_at", FieldType::Time),
            ("effort", FieldType::Duration { min: None, max: None }),
            ("is_hot", FieldType::Boolean),
            ("score", FieldType::Rating { max: 5 }),
            ("notes", FieldType::LongText { max: 10_000 }),
            ("segments", FieldType::MultiSelect { options: options(&["smb", "mid", "big"]), max: None }),
            ("tags", FieldType::Tags { max: None }),
            ("origin", FieldType::AnyLink { to: vec![ACCOUNT, CONTACT], on_delete: OnDelete::SetNull }),
            ("place", FieldType::Geo),
            ("info", FieldType::Json { schema: None }),
            ("lines", FieldType::Children { of: LINE, by: FieldIx(0) }),
            ("products", FieldType::Links { to: PRODUCT, through: DEAL_PRODUCT, near: FieldIx(0), far: FieldIx(0) }),
            ("files", FieldType::File { max_count: 5, max_size_bytes: 1 << 20, accept: Vec::new() }),
            ("effort_left", FieldType::Formula { returns: ScalarType::Duration, expr: relata::expr::Typed::always(), stored: false }),
            ("industry", FieldType::Lookup { via: FieldIx(0), field: FieldIx(0), returns: ScalarType::Text }),
            (
                "quantity",
                FieldType::Rollup {
                    of: FieldIx(0),
                    aggregate: relata::expr::Typed::always(),
                    returns: ScalarType::Decimal { scale: 3 },
                    stored: false,
                },
            ),
        ],
    );
    push(
        &mut catalog,
        "line",
        "lin",
        &["product"],
        vec![
            ("deal", link(DEAL)),
            ("product", link(PRODUCT)),
            ("pos", FieldType::Integer { min: None, max: None }),
            ("qty", decimal(3)),
            ("total", decimal(4)),
        ],
    );
    push(
        &mut catalog,
        "deal_product",
        "dp",
        &["product"],
        vec![("deal", link(DEAL)), ("product", link(PRODUCT)), ("quantity", decimal(3))],
    );
    tie(&mut catalog);
    catalog
}

/// Fills in what needs positions and checked expressions.
fn tie(catalog: &mut Catalog) {
    let field = |catalog: &Catalog, entity: EntityIx, name: &str| catalog.entity(entity).find_field(name).unwrap().ix;
    let by = field(catalog, LINE, "deal");
    let near = field(catalog, DEAL_PRODUCT, "deal");
    let far = field(catalog, DEAL_PRODUCT, "product");
    let via = field(catalog, DEAL, "account");
    let industry = field(catalog, ACCOUNT, "industry");
    let lines = field(catalog, DEAL, "lines");
    let set = |catalog: &mut Catalog, name: &str, ty: FieldType| {
        let at = field(catalog, DEAL, name);
        catalog.entities[DEAL.0 as usize].fields[at.0 as usize].ty = ty;
    };
    set(catalog, "lines", FieldType::Children { of: LINE, by });
    set(catalog, "products", FieldType::Links { to: PRODUCT, through: DEAL_PRODUCT, near, far });
    set(catalog, "industry", FieldType::Lookup { via, field: industry, returns: ScalarType::Text });
    let left =
        expr::compile("effort - hours(1)", &CatalogScope::new(catalog), DEAL, &Expected::Value(expr_type(ScalarType::Duration))).unwrap();
    set(catalog, "effort_left", FieldType::Formula { returns: ScalarType::Duration, expr: left, stored: false });
    let returns = ScalarType::Decimal { scale: 3 };
    let sum = expr::compile_rollup("sum(qty)", &CatalogScope::new(catalog), DEAL, "lines", &Expected::Value(expr_type(returns))).unwrap();
    set(catalog, "quantity", FieldType::Rollup { of: lines, aggregate: sum, returns, stored: false });

    for (entity, index, fields) in [
        (ACCOUNT, "ix_account_name", vec!["name"]),
        (ACCOUNT, "ix_account_parent", vec!["parent"]),
        (CONTACT, "ix_contact_account", vec!["account"]),
        (DEAL, "ix_deal_account", vec!["account"]),
        (DEAL, "ix_deal_close_on", vec!["close_on"]),
        (DEAL, "ix_deal_stage_score", vec!["stage", "score"]),
        (DEAL, "ix_deal_created_at", vec!["created_at"]),
        (LINE, "ix_line_deal", vec!["deal"]),
        (LINE, "ix_line_product", vec!["product"]),
        (DEAL_PRODUCT, "ix_dp_deal", vec!["deal"]),
    ] {
        let fields = fields.into_iter().map(|name| field(catalog, entity, name)).collect();
        catalog.entities[entity.0 as usize].indexes.push(Index { uid: index.into(), fields, index: index.into() });
    }
    let fields = vec![field(catalog, ACCOUNT, "name")];
    let unique =
        Unique { uid: "ux".into(), name: "name".into(), fields, filter: None, message: Labels::default(), index: "ux_account_name".into() };
    catalog.entities[ACCOUNT.0 as usize].uniques.push(unique);
}

fn empty() -> Catalog {
    Catalog {
        version: 7,
        digest: "test".into(),
        settings: Settings {
            name: "Test".into(),
            currency: Currency::parse("CNY").unwrap(),
            locale: Locale::En,
            time_zone_name: "Asia/Shanghai".into(),
            time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            fiscal_year_start: 1,
            rates: Vec::new(),
        },
        packages: Vec::new(),
        entities: Vec::new(),
        by_slug: HashMap::new(),
        by_prefix: HashMap::new(),
        picklists: BTreeMap::new(),
        calendars: BTreeMap::new(),
        scripts: Vec::new(),
        automations: std::default::Default::default(),
        templates: Vec::new(),
        surveys: Vec::new(),
        roles: Vec::new(),
        apps: Vec::new(),
        described: BTreeMap::new(),
        blind: None,
        whole: None,
    }
}

fn push(catalog: &mut Catalog, slug: &str, prefix: &str, title: &[&str], own: Vec<(&str, FieldType)>) {
    let ix = EntityIx(u32::try_from(catalog.entities.len()).unwrap());
    let user = || FieldType::User { to: USER, on_delete: OnDelete::Restrict };
    let int = || FieldType::Integer { min: None, max: None };
    let system = vec![
        ("id", FieldType::Id),
        ("version", int()),
        ("created_at", FieldType::DateTime),
        ("created_by", user()),
        ("updated_at", FieldType::DateTime),
        ("updated_by", user()),
        ("owner", user()),
        ("deleted_at", FieldType::DateTime),
    ];
    let all = system.into_iter().map(|field| (field, true)).chain(own.into_iter().map(|field| (field, false)));
    let fields: Vec<Field> = all.enumerate().map(|(at, ((name, ty), is_system))| field(slug, at, name, ty, is_system)).collect();
    let by_name: HashMap<String, FieldIx> = fields.iter().map(|field| (field.name.clone(), field.ix)).collect();
    let parts =
        title.iter().map(|part| by_name.get(*part).map_or_else(|| TitlePart::Text((*part).to_owned()), |field| TitlePart::Field(*field)));
    let entity = Entity {
        ix,
        uid: format!("ent_{slug}"),
        id: format!("{}.{slug}", if matches!(slug, "user" | "file") { "core" } else { "crm" }),
        slug: slug.into(),
        prefix: prefix.into(),
        package: "crm".into(),
        label: Labels::plain(slug),
        label_plural: Labels::plain(slug),
        description: Labels::default(),
        icon: String::new(),
        title: Title { parts: parts.collect() },
        features: Features { owner: true, history: true, soft_delete: true, search: true },
        requires_if_match: false,
        fields,
        by_name,
        uniques: Vec::new(),
        indexes: Vec::new(),
        rules: Vec::new(),
        views: Vec::new(),
        layouts: Vec::new(),
        buttons: Vec::new(),
        duplicates: Vec::new(),
        retention: Vec::new(),
        approvals: Vec::new(),
        pools: Vec::new(),
        registrations: Vec::new(),
        pipelines: Vec::new(),
        conversions: Vec::new(),
        clocks: Vec::new(),
        scripts: Vec::new(),
        computed_order: Vec::new(),
        dependents: Vec::new(),
        table: format!("e_{slug}"),
        is_made: false,
        may: relata::schema::catalog::Actions::ALL,
        is_junction: slug == "deal_product",
    };
    catalog.by_slug.insert(slug.into(), ix);
    catalog.by_prefix.insert(prefix.into(), ix);
    catalog.entities.push(entity);
}

fn field(entity: &str, at: usize, name: &str, ty: FieldType, is_system: bool) -> Field {
    let columns = columns_of(&ty, name, &["account", "contact"]);
    Field {
        ix: FieldIx(u32::try_from(at).unwrap()),
        uid: format!("fld_{entity}_{name}"),
        name: name.into(),
        label: Labels::plain(name),
        help: Labels::default(),
        fold_column: needs_fold(&ty).then(|| format!("{name}_k")),
        side_table: has_side_table(&ty).then(|| format!("j_{entity}_{name}")),
        columns,
        ty,
        is_system,
        required: false,
        unique: false,
        indexed: false,
        search: false,
        read_only: is_system,
        required_if: None,
        readonly_if: None,
        visible_if: None,
        default: None,
        retired: false,
        alias: None,
        widget: None,
        placeholder: Labels::default(),
        exposes: false,
        is_hidden: false,
        is_locked: false,
        class: None,
        encrypted: false,
    }
}

fn options(keys: &[&str]) -> Options {
    let options = keys.iter().map(|key| SelectOption {
        key: (*key).into(),
        uid: format!("opt_{key}"),
        label: Labels::plain(*key),
        hue: 0,
        retired: false,
    });
    Options { list: Arc::new(Picklist { id: String::new(), options: options.collect() }), depends_on: None }
}

fn select(keys: &[&str]) -> FieldType {
    FieldType::Select(options(keys))
}
