//! The texts handed in and positions inside them.

use std::sync::Arc;

/// One file of definitions, a script, or seed data. The path is relative to the folder of definitions
/// (`crm/entities/deal.yaml`) and always written with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// All files of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub files: Vec<SourceFile>,
}

/// A place in a file: 1-based line and column (in characters), end column exclusive on the same line,
/// and the byte range in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
    /// One past the last character on `line`.
    pub end: u32,
    /// Byte offsets in the file; both 0 where the text is not at hand (a stored bundle).
    pub bytes: (u32, u32),
}

impl Place {
    /// The very beginning of a file.
    pub fn top(file: &Arc<str>) -> Self {
        Self { file: file.clone(), line: 1, column: 1, end: 1, bytes: (0, 0) }
    }
}
