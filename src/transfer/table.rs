//! A CSV file as a header and rows of texts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use csv::StringRecord;

use super::TransferError;

/// How the file is written; what is not said is found out.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// A name of the WHATWG encoding list. Unsaid: a byte-order mark decides, then UTF-8 if it is valid, else GB18030.
    pub encoding: Option<String>,
    /// Unsaid: whichever of `,` `;` tab `|` the header line has most of.
    pub delimiter: Option<char>,
}

/// The file's content. Each row has as many cells as `header`.
#[derive(Debug, Clone)]
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// One record of the file.
#[derive(Debug, Clone)]
pub struct Row {
    cells: Arc<Cells>,
    number: usize,
}

/// The cells of all rows, in one piece of memory.
#[derive(Debug, Default)]
struct Cells {
    text: String,
    /// Where each cell ends in `text`, row after row.
    ends: Vec<usize>,
    width: usize,
    /// Line of the file on which each row begins.
    lines: Vec<u64>,
    /// Why a row cannot be read, though the others can.
    faults: HashMap<usize, String>,
}

impl Row {
    /// Line of the file on which it begins, 1-based.
    pub fn line(&self) -> u64 {
        self.cells.lines.get(self.number).copied().unwrap_or(0)
    }

    /// The cell of a column; empty where there is none.
    pub fn cell(&self, column: usize) -> &str {
        let at = self.number * self.cells.width + column;
        let begin = at.checked_sub(1).and_then(|before| self.cells.ends.get(before)).copied().unwrap_or(0);
        self.cells.ends.get(at).and_then(|end| self.cells.text.get(begin..*end)).unwrap_or_default()
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.cells.width).map(|column| self.cell(column))
    }

    /// Why this row cannot be read, though the others can.
    pub fn fault(&self) -> Option<&str> {
        self.cells.faults.get(&self.number).map(String::as_str)
    }
}

impl Table {
    /// Reads the bytes of a file. Short rows are filled with empty texts; rows longer than the header carry a fault.
    ///
    /// # Errors
    /// An unknown encoding, bytes that are not of it, an unclosed quote, two columns of one name.
    pub fn read(bytes: &[u8], options: &TableOptions) -> Result<Self, TransferError> {
        let text = decode(bytes, options)?;
        let delimiter = match options.delimiter {
            Some(c) => u8::try_from(c).map_err(|_| TransferError::Csv { line: 1, message: format!("`{c}` cannot separate cells") })?,
            None => sniff(&text),
        };
        if let Some(line) = open_quote(&text, delimiter) {
            return Err(TransferError::Csv {
                line,
                message: "the quote that begins here is not closed, so the rest of the file would be one cell".into(),
            });
        }
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(true).from_reader(text.as_bytes());
        let fault =
            |error: csv::Error| TransferError::Csv { line: error.position().map_or(0, csv::Position::line), message: error.to_string() };
        let header: Vec<String> = reader.headers().map_err(fault)?.iter().map(|name| name.trim().to_owned()).collect();
        for (position, name) in header.iter().enumerate() {
            if header[..position].contains(name) {
                return Err(TransferError::Csv { line: 1, message: format!("two columns are called `{name}`") });
            }
        }
        let mut cells = Cells { text: String::with_capacity(text.len()), width: header.len(), ..Cells::default() };
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(fault)? {
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() > header.len() {
                cells.faults.insert(cells.lines.len(), surplus(&record, header.len()));
            }
            cells.lines.push(record.position().map_or(0, csv::Position::line));
            for column in 0..header.len() {
                cells.text.push_str(record.get(column).unwrap_or_default());
                cells.ends.push(cells.text.len());
            }
        }
        let cells = Arc::new(cells);
        let rows = (0..cells.lines.len()).map(|number| Row { cells: cells.clone(), number }).collect();
        Ok(Self { header, rows })
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known == name)
    }
}

fn surplus(cells: &StringRecord, named: usize) -> String {
    let over: Vec<String> =
        cells.iter().skip(named).take(3).map(|cell| format!("`{}`", cell.chars().take(40).collect::<String>())).collect();
    format!(
        "{} cells, but the header names {named}; left over: {}; put quotes around a cell that contains the separator",
        cells.len(),
        over.join(", ")
    )
}

fn decode<'b>(bytes: &'b [u8], options: &TableOptions) -> Result<Cow<'b, str>, TransferError> {
    let encoding = match &options.encoding {
        Some(name) => encoding_rs::Encoding::for_label(name.as_bytes()).ok_or_else(|| TransferError::UnknownEncoding(name.clone()))?,
        None => match encoding_rs::Encoding::for_bom(bytes) {
            Some((encoding, _)) => encoding,
            None if std::str::from_utf8(bytes).is_ok() => encoding_rs::UTF_8,
            None => encoding_rs::GB18030,
        },
    };
    let (text, used, has_faults) = encoding.decode(bytes);
    if has_faults {
        let message = format!("the bytes are not {}; name the encoding with --encoding", used.name());
        return Err(TransferError::Csv { line: 1, message });
    }
    Ok(text)
}

/// The line of a quote that begins a cell and never ends: the reader would take all that follows for its text.
fn open_quote(text: &str, delimiter: u8) -> Option<u64> {
    let (mut line, mut begun) = (1, None);
    let (mut at_start, mut bytes) = (true, text.bytes().peekable());
    while let Some(byte) = bytes.next() {
        match (byte, begun) {
            (b'"', Some(_)) if bytes.peek() == Some(&b'"') => {
                bytes.next();
            }
            (b'"', Some(_)) => begun = None,
            (b'"', None) if at_start => begun = Some(line),
            _ => {}
        }
        line += u64::from(byte == b'\n');
        at_start = begun.is_none() && (byte == delimiter || byte == b'\n' || byte == b'\r');
    }
    begun
}

/// The separator the header line has most of, outside quotes.
fn sniff(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(slot) = counts.iter_mut().find(|(known, _)| *known == byte) {
                    slot.1 += 1;
                }
            }
        }
    }
    // `max_by_key` gives the last of equals; the comma shall win them.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| *byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_its_line() {
        for (text, line) in [
            ("a,b\n\"x,1\ny,2\n", Some(2)),
            ("a,b\n\"x\ny\",1\n\"z", Some(4)),
            ("a,b\n\"say \"\"hi\"\"\",1\n", None),
            ("a,b\n5\" pipe,1\n", None),
            ("a,b\r\n\"\",\"\"\r\n", None),
            ("", None),
        ] {
            assert_eq!(open_quote(text, b','), line, "{text:?}");
        }
    }
}
