//! Fetched records: cells with the shape to read them by.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::base::{Cell, FieldIx, RecordId, Value};
use crate::schema::catalog::Catalog;
use crate::schema::field_type;
use crate::store::Rows;

use super::json;
use super::shape::{Codec, Output, RowPlan, Shape, What};

/// Records with their expansions.
#[derive(Debug, Clone)]
pub struct RowSet {
    pub plan: Arc<RowPlan>,
    pub rows: Rows,
    /// In the order of `plan.parts`.
    pub parts: Vec<PartRows>,
}

/// The rows of one to-many expansion.
#[derive(Debug, Clone, Default)]
pub struct PartRows {
    pub rows: Rows,
    /// Positions of the rows that belong to a record.
    pub by_owner: HashMap<i64, Range<usize>>,
}

/// One record of a [`RowSet`], or one it is expanded with.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    set: &'a RowSet,
    shape: &'a Shape,
    cells: &'a [Cell],
}

/// An encrypted cell with what is needed to open it.
#[derive(Debug)]
pub struct SealedCell<'a> {
    pub cell: &'a mut Cell,
    /// Uid of the field.
    pub field: Arc<str>,
    /// Never shown.
    pub is_secret: bool,
}

impl SealedCell<'_> {
    /// Puts the text that was encrypted in its place; `None` where it can no longer be read.
    pub fn open(&mut self, text: Option<&str>) {
        // The sign in front tells it from one that is still closed, whatever the text looks like.
        *self.cell = text.map_or(Cell::Null, |text| Cell::Text(format!("{OPENED}{text}")));
    }
}

const OPENED: char = '=';

/// The text of an encrypted cell once it is opened.
pub(super) fn opened(cell: &Cell) -> Option<&str> {
    cell.as_text()?.strip_prefix(OPENED)
}

/// Positions of encrypted cells in the rows of a shape.
fn sealed_at(shape: &Shape, found: &mut Vec<(usize, Arc<str>, bool)>) {
    for output in &shape.outputs {
        match &output.what {
            What::Value { at, codec: Codec::Sealed { field, is_secret }, .. }
            | What::Own { at, codec: Codec::Sealed { field, is_secret }, .. } => found.push((*at, field.clone(), *is_secret)),
            What::One { targets, .. } => targets.iter().for_each(|target| sealed_at(target, found)),
            _ => {}
        }
    }
}

fn sealed_of<'a>(rows: &'a mut Rows, shape: &Shape) -> Vec<SealedCell<'a>> {
    let mut at = Vec::new();
    sealed_at(shape, &mut at);
    if at.is_empty() || rows.width == 0 {
        return Vec::new();
    }
    at.sort_unstable();
    at.dedup();
    let mut found = Vec::new();
    for row in rows.cells.chunks_mut(rows.width) {
        for (position, cell) in row.iter_mut().enumerate() {
            if let Some((_, field, is_secret)) = at.iter().find(|(known, ..)| *known == position && !cell.is_null()) {
                found.push(SealedCell { cell, field: field.clone(), is_secret: *is_secret });
            }
        }
    }
    found
}

impl RowSet {
    /// The encrypted values of all records, those they are expanded with too. Nothing is looked at where there can be none.
    pub fn sealed_cells(&mut self) -> Vec<SealedCell<'_>> {
        let plan = self.plan.clone();
        let mut found = sealed_of(&mut self.rows, &plan.shape);
        for (rows, part) in self.parts.iter_mut().zip(&plan.parts) {
            found.extend(sealed_of(&mut rows.rows, &part.shape));
        }
        found
    }

    /// The row that reading a record with these values gives; `None` where they do not tell all that the plan shows.
    pub fn of_values(catalog: &Catalog, plan: &Arc<RowPlan>, values: &[Value]) -> Option<RowSet> {
        let shape = &plan.shape;
        let entity = catalog.entity(shape.entity);
        let mut cells: Vec<Cell> = Vec::with_capacity(shape.outputs.len() + 8);
        let mut of_field = Vec::with_capacity(4);
        for output in &shape.outputs {
            let What::Value { field, at, codec } = &output.what else { return None };
            let (field, value) = (entity.field(*field), values.get(field.0 as usize)?);
            let has_none = value.is_null() && field.side_table.is_some();
            // Values in other tables, and those a database may write in another way than they were given.
            let is_other = field.columns.is_empty() || (!value.is_null() && matches!(codec, Codec::Json | Codec::Sealed { .. }));
            if is_other && !has_none {
                return None;
            }
            of_field.clear();
            if !has_none {
                field_type::to_cells(catalog, field, value, &mut of_field);
            }
            of_field.resize(codec.width(), Cell::Null);
            let end = at + codec.width();
            if cells.len() < end {
                cells.resize(end, Cell::Null);
            }
            cells[*at..end].swap_with_slice(&mut of_field);
        }
        Some(RowSet { plan: plan.clone(), rows: Rows { width: cells.len(), cells }, parts: Vec::new() })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn row(&self, position: usize) -> Option<Row<'_>> {
        let start = position.checked_mul(self.rows.width)?;
        let cells = self.rows.cells.get(start..start + self.rows.width)?;
        Some(Row { set: self, shape: &self.plan.shape, cells })
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { set: self, shape: &self.plan.shape, cells })
    }

    /// Appends the records as a JSON array.
    pub fn write_json(&self, out: &mut String) {
        out.push('[');
        for (position, row) in self.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            row.write_json(out);
        }
        out.push(']');
    }
}

impl<'a> Row<'a> {
    pub fn id(&self) -> RecordId {
        RecordId(self.cells.get(self.shape.id).and_then(Cell::as_int).unwrap_or(0))
    }

    pub fn shape(&self) -> &'a Shape {
        self.shape
    }

    /// The cell at a position of the shape.
    pub fn cell(&self, at: usize) -> &'a Cell {
        const NULL: &Cell = &Cell::Null;
        self.cells.get(at).unwrap_or(NULL)
    }

    /// The value of a selected field: an expanded link gives its id, an expanded to-many field the ids. `None` when the
    /// field was not selected.
    pub fn value(&self, field: FieldIx) -> Option<Value> {
        self.shape.output_of(field).map(|output| self.value_of(output))
    }

    /// The same by the output's name (`_title` too).
    pub fn get(&self, name: &str) -> Option<Value> {
        self.shape.outputs.iter().find(|output| output.name == name).map(|output| self.value_of(output))
    }

    pub fn value_of(&self, output: &Output) -> Value {
        match &output.what {
            What::Value { at, codec, .. } | What::Own { at, codec, .. } => json::value(codec, self.cells.get(*at..).unwrap_or_default()),
            What::Title(_) => Value::Text(self.title().unwrap_or_default()),
            What::One { field, is_any: true, .. } => {
                self.one(*field).map_or(Value::Null, |row| Value::Text(row.id().display(&row.shape.prefix)))
            }
            What::One { field, .. } => self.one(*field).map_or(Value::Null, |row| Value::Link(row.id())),
            What::Many { field, .. } => Value::List(self.many(*field).map(|row| Value::Link(row.id())).collect()),
        }
    }

    /// The record an expanded link leads to.
    pub fn one(&self, wanted: FieldIx) -> Option<Row<'a>> {
        let targets = self.shape.outputs.iter().find_map(|output| match &output.what {
            What::One { field, targets, .. } if *field == wanted => Some(targets),
            _ => None,
        })?;
        let shape = targets.iter().find(|shape| !self.cell(shape.id).is_null())?;
        Some(Row { set: self.set, shape, cells: self.cells })
    }

    /// The records of an expanded to-many field.
    pub fn many(&self, wanted: FieldIx) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let part = self.shape.outputs.iter().find_map(|output| match &output.what {
            What::Many { field, part } if *field == wanted => Some(*part),
            _ => None,
        });
        let row = *self;
        part.into_iter().flat_map(move |part| row.rows_of(part))
    }

    pub(super) fn rows_of(&self, part: usize) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let set = self.set;
        let owner = self.id().0;
        let found = set.parts.get(part).zip(set.plan.parts.get(part));
        found.into_iter().flat_map(move |(rows, plan)| {
            let range = rows.by_owner.get(&owner).cloned().unwrap_or(0..0);
            let width = rows.rows.width;
            range.map(move |position| Row { set, shape: &plan.shape, cells: &rows.rows.cells[position * width..(position + 1) * width] })
        })
    }

    /// The record's title, when `_title` was selected; the id where all its parts are empty.
    pub fn title(&self) -> Option<String> {
        let bits = self.shape.outputs.iter().find_map(|output| match &output.what {
            What::Title(bits) => Some(bits),
            _ => None,
        })?;
        let title = json::title(bits, self.cells);
        Some(if title.is_empty() { self.id().display(&self.shape.prefix) } else { title })
    }

    /// All values by field position; null for what was not selected.
    pub fn values(&self, catalog: &Catalog) -> Vec<Value> {
        let mut values = vec![Value::Null; catalog.entity(self.shape.entity).fields.len()];
        for output in &self.shape.outputs {
            let (What::Value { field, .. } | What::One { field, .. } | What::Many { field, .. }) = &output.what else { continue };
            if let Some(slot) = values.get_mut(field.0 as usize) {
                *slot = self.value_of(output);
            }
        }
        values
    }

    /// Appends the record as a JSON object in the shape of the API.
    pub fn write_json(&self, out: &mut String) {
        json::write_row(self, out);
    }

    pub(super) fn cells(&self) -> &'a [Cell] {
        self.cells
    }

    pub(super) fn with_shape(&self, shape: &'a Shape) -> Row<'a> {
        Row { shape, ..*self }
    }
}
