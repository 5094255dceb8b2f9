//! Text to [`Ast`]: recursive descent, one function a level of precedence, loosest first.

use super::ast::{Ast, AstKind, HasWord, Name};
use super::error::{ExprError, ExprErrorKind};
use super::lexer::{RESERVED, Token, TokenKind, tokens};
use super::limits::Limits;
use super::tree::{ArithmeticOp, CompareOp, MatchKind, Span};

/// Parses an expression of a definition ([`Limits::DEFINITION`]).
///
/// # Errors
/// `EXP001` to `EXP004`.
pub fn parse(text: &str) -> Result<Ast, ExprError> {
    parse_within(text, &Limits::DEFINITION)
}

/// Parses a filter of a request ([`Limits::FILTER`]).
///
/// # Errors
/// `EXP001` to `EXP004`.
pub fn parse_filter(text: &str) -> Result<Ast, ExprError> {
    parse_within(text, &Limits::FILTER)
}

/// Parses within given limits.
///
/// # Errors
/// `EXP001` to `EXP004`.
pub fn parse_within(text: &str, limits: &Limits) -> Result<Ast, ExprError> {
    if text.len() > limits.bytes {
        let kind = ExprErrorKind::Limit { what: "long (bytes)", limit: limits.bytes };
        return Err(ExprError::new(kind, 0..text.len()));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, limits: *limits };
    let ast = parser.disjunction()?;
    match parser.peek() {
        TokenKind::End => {}
        _ => return Err(parser.unexpected("an operator or the end")),
    }
    super::limits::check(&ast, limits)?;
    Ok(ast)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    limits: Limits,
}

type Parsed = Result<Ast, ExprError>;

impl Parser {
    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span.clone()
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.peek(), TokenKind::Mark(found) if *found == mark)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn word_after(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at + 1), Some(Token { kind: TokenKind::Word(found), .. }) if found.eq_ignore_ascii_case(word))
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &'static str, wanted: &'static str) -> Result<(), ExprError> {
        if self.take_mark(mark) { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    fn expect_word(&mut self, word: &'static str, wanted: &'static str) -> Result<(), ExprError> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    fn unexpected(&self, wanted: &'static str) -> ExprError {
        let found = match self.peek() {
            TokenKind::Word(word) | TokenKind::Quoted(word) | TokenKind::Number(word) => format!("`{word}`"),
            TokenKind::Text(_) => "a text".to_owned(),
            TokenKind::Mark(mark) => format!("`{mark}`"),
            TokenKind::End => "the end".to_owned(),
        };
        ExprError::new(ExprErrorKind::Unexpected { found, wanted }, self.span())
    }

    /// Goes one level down; refuses nesting that would make the tree deeper than the limit.
    fn deeper(&mut self) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            let kind = ExprErrorKind::Limit { what: "deep", limit: self.limits.depth };
            return Err(ExprError::new(kind, self.span()));
        }
        Ok(())
    }

    fn disjunction(&mut self) -> Parsed {
        self.deeper()?;
        let first = self.conjunction()?;
        let (mut items, mut only_bars) = (vec![first], true);
        loop {
            let bars = self.take_mark("||");
            if !bars && !self.take_word("or") {
                break;
            }
            only_bars &= bars;
            items.push(self.conjunction()?);
        }
        self.depth -= 1;
        if items.len() == 1 {
            return Ok(items.remove(0));
        }
        let span = items[0].span.start..items[items.len() - 1].span.end;
        // `||` is `or`, as in many languages, and joins texts, as in SQL: a text among the operands decides.
        let is_text = |item: &Ast| match &item.kind {
            AstKind::Text(_) => true,
            AstKind::Call { name, .. } => name.text == "concat",
            _ => false,
        };
        if only_bars && items.iter().any(is_text) {
            let name = Name { text: "concat".to_owned(), span: span.clone() };
            return Ok(Ast::new(AstKind::Call { name, args: items, filter: None }, span));
        }
        Ok(Ast::new(AstKind::Or(flatten(items, or_items)), span))
    }

    fn conjunction(&mut self) -> Parsed {
        let mut items = vec![self.negation()?];
        while self.take_mark("&&") || self.take_word("and") {
            items.push(self.negation()?);
        }
        if items.len() == 1 {
            return Ok(items.remove(0));
        }
        let span = items[0].span.start..items[items.len() - 1].span.end;
        Ok(Ast::new(AstKind::And(flatten(items, and_items)), span))
    }

    fn negation(&mut self) -> Parsed {
        let start = self.span().start;
        if self.take_mark("!") || self.take_word("not") {
            self.deeper()?;
            let inner = self.negation()?;
            self.depth -= 1;
            let span = start..inner.span.end;
            return Ok(Ast::new(AstKind::Not(Box::new(inner)), span));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let start = left.span.start;
        if let TokenKind::Mark(mark) = self.peek()
            && let Some(op) = compare_op(mark)
        {
            self.next();
            let right = self.sum()?;
            let span = start..right.span.end;
            return Ok(Ast::new(AstKind::Compare { op, left: Box::new(left), right: Box::new(right) }, span));
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            let end = self.span().end;
            self.expect_word("null", "`null` or `not null`")?;
            return Ok(Ast::new(AstKind::IsNull { item: Box::new(left), negated }, start..end));
        }
        let negated = self.is_word("not")
            && ["in", "between", "contains", "starts_with", "ends_with", "like", "ilike"].iter().any(|word| self.word_after(word));
        if negated {
            self.next();
        }
        self.membership(left, negated)
    }

    /// What may follow a value besides a comparison sign: `in`, `between`, `contains`, `has` and so on.
    fn membership(&mut self, left: Ast, negated: bool) -> Parsed {
        let start = left.span.start;
        let item = Box::new(left);
        if self.take_word("in") {
            let (list, end) = self.list()?;
            return Ok(Ast::new(AstKind::In { item, list, negated }, start..end));
        }
        if self.take_word("between") {
            let low = Box::new(self.sum()?);
            self.expect_word("and", "`and` between the two bounds")?;
            let high = Box::new(self.sum()?);
            let span = start..high.span.end;
            return Ok(Ast::new(AstKind::Between { item, low, high, negated }, span));
        }
        if let TokenKind::Word(word) = self.peek()
            && let Some(kind) = match_kind(word)
        {
            self.next();
            let pattern = Box::new(self.sum()?);
            let span = start..pattern.span.end;
            return Ok(Ast::new(AstKind::Match { kind, item, pattern, negated }, span));
        }
        if let TokenKind::Word(word) = self.peek()
            && let Some(kind) = has_word(word)
        {
            self.next();
            let (keys, end) = if kind == HasWord::Has && !self.is_mark("(") {
                let key = self.sum()?;
                let end = key.span.end;
                (vec![key], end)
            } else {
                self.list()?
            };
            return Ok(Ast::new(AstKind::Has { kind, item, keys }, start..end));
        }
        Ok(*item)
    }

    /// `(a, b, …)`, at least one; also its end.
    fn list(&mut self) -> Result<(Vec<Ast>, usize), ExprError> {
        if matches!(self.peek(), TokenKind::Word(word) if is_own_list(word)) {
            let list = self.sum()?;
            let end = list.span.end;
            return Ok((vec![list], end));
        }
        self.expect_mark("(", "a list in parentheses")?;
        let mut items = vec![self.sum()?];
        while self.take_mark(",") {
            items.push(self.sum()?);
        }
        let end = self.span().end;
        self.expect_mark(")", "`,` or `)`")?;
        Ok((items, end))
    }

    fn sum(&mut self) -> Parsed {
        self.chain(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.chain(&["*", "/", "%"], Self::unary)
    }

    /// A left-associative chain of operators; each one makes the tree deeper.
    fn chain(&mut self, marks: &[&str], operand: fn(&mut Self) -> Parsed) -> Parsed {
        let outside = self.depth;
        let mut left = operand(self)?;
        while let Some(op) = marks.iter().find(|mark| self.is_mark(mark)).and_then(|mark| arithmetic_op(mark)) {
            self.deeper()?;
            self.next();
            let right = operand(self)?;
            let span = left.span.start..right.span.end;
            left = Ast::new(AstKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) }, span);
        }
        self.depth = outside;
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span().start;
        if self.take_mark("-") {
            self.deeper()?;
            let inner = self.unary()?;
            self.depth -= 1;
            let span = start..inner.span.end;
            return Ok(Ast::new(AstKind::Negate(Box::new(inner)), span));
        }
        self.primary()
    }

    fn primary(&mut self) -> Parsed {
        let span = self.span();
        match self.peek().clone() {
            TokenKind::Number(digits) => {
                self.next();
                Ok(Ast::new(AstKind::Number(digits), span))
            }
            TokenKind::Text(text) => {
                self.next();
                Ok(Ast::new(AstKind::Text(text), span))
            }
            TokenKind::Mark("(") => {
                self.next();
                let mut inner = self.disjunction()?;
                let end = self.span().end;
                self.expect_mark(")", "`)`")?;
                inner.span = span.start..end;
                Ok(inner)
            }
            TokenKind::Quoted(_) => self.path(),
            TokenKind::Word(word) => match word.to_ascii_lowercase().as_str() {
                "null" => self.constant(AstKind::Null),
                "true" => self.constant(AstKind::Bool(true)),
                "false" => self.constant(AstKind::Bool(false)),
                "case" => self.case(),
                reserved if RESERVED.contains(&reserved) => Err(self.unexpected("a value")),
                _ if matches!(self.tokens.get(self.at + 1), Some(Token { kind: TokenKind::Mark("("), .. })) => self.call(),
                _ => self.path(),
            },
            _ => Err(self.unexpected("a value")),
        }
    }

    fn constant(&mut self, kind: AstKind) -> Parsed {
        let token = self.next();
        Ok(Ast::new(kind, token.span))
    }

    fn path(&mut self) -> Parsed {
        let start = self.span().start;
        let mut names = Vec::new();
        loop {
            let span = self.span();
            let text = match self.peek() {
                TokenKind::Word(word) => word.clone(),
                TokenKind::Quoted(word) => word.clone(),
                _ => return Err(self.unexpected("a field name after the point")),
            };
            self.next();
            names.push(Name { text, span });
            if !self.take_mark(".") {
                break;
            }
        }
        let end = names[names.len() - 1].span.end;
        Ok(Ast::new(AstKind::Path(names), start..end))
    }

    fn call(&mut self) -> Parsed {
        let TokenKind::Word(word) = self.peek().clone() else { return Err(self.unexpected("a function")) };
        let name = Name { text: word.to_ascii_lowercase(), span: self.span() };
        self.next();
        self.next();
        let mut args = Vec::new();
        let mut filter = None;
        if !self.is_mark(")") {
            if !self.is_word("where") {
                args.push(self.disjunction()?);
                while self.take_mark(",") {
                    args.push(self.disjunction()?);
                }
            }
            if self.take_word("where") {
                filter = Some(Box::new(self.disjunction()?));
            }
        }
        let end = self.span().end;
        self.expect_mark(")", "`,` or `)`")?;
        let span = name.span.start..end;
        Ok(Ast::new(call_kind(name, args, filter), span))
    }

    fn case(&mut self) -> Parsed {
        let start = self.next().span.start;
        let mut arms = Vec::new();
        while self.take_word("when") {
            let condition = self.disjunction()?;
            self.expect_word("then", "`then`")?;
            arms.push((condition, self.disjunction()?));
        }
        if arms.is_empty() {
            return Err(self.unexpected("`when`"));
        }
        let otherwise = if self.take_word("else") { Some(Box::new(self.disjunction()?)) } else { None };
        let end = self.span().end;
        self.expect_word("end", "`when`, `else` or `end`")?;
        Ok(Ast::new(AstKind::Case { arms, otherwise }, start..end))
    }
}

/// `contains(a, b)` is `a contains b`, `has(tags, 'x')` is `tags has 'x'`.
fn call_kind(name: Name, mut args: Vec<Ast>, filter: Option<Box<Ast>>) -> AstKind {
    if filter.is_none()
        && args.len() == 2
        && let Some(kind) = match_kind(&name.text)
    {
        let pattern = Box::new(args.remove(1));
        return AstKind::Match { kind, item: Box::new(args.remove(0)), pattern, negated: false };
    }
    if filter.is_none()
        && args.len() >= 2
        && let Some(kind) = has_word(&name.text)
        && (kind != HasWord::Has || args.len() == 2)
    {
        return AstKind::Has { kind, item: Box::new(args.remove(0)), keys: args };
    }
    AstKind::Call { name, args, filter }
}

/// `a and (b and c)` is `a and b and c`.
fn flatten(items: Vec<Ast>, joins: fn(AstKind) -> Result<Vec<Ast>, AstKind>) -> Vec<Ast> {
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match joins(item.kind) {
            Ok(inner) => flat.extend(inner),
            Err(kind) => flat.push(Ast::new(kind, item.span)),
        }
    }
    flat
}

fn or_items(kind: AstKind) -> Result<Vec<Ast>, AstKind> {
    match kind {
        AstKind::Or(items) => Ok(items),
        other => Err(other),
    }
}

fn and_items(kind: AstKind) -> Result<Vec<Ast>, AstKind> {
    match kind {
        AstKind::And(items) => Ok(items),
        other => Err(other),
    }
}

fn compare_op(mark: &str) -> Option<CompareOp> {
    Some(match mark {
        "=" | "==" => CompareOp::Eq,
        "!=" | "<>" => CompareOp::Ne,
        "<" => CompareOp::Lt,
        "<=" => CompareOp::Le,
        ">" => CompareOp::Gt,
        ">=" => CompareOp::Ge,
        _ => return None,
    })
}

fn arithmetic_op(mark: &str) -> Option<ArithmeticOp> {
    Some(match mark {
        "+" => ArithmeticOp::Add,
        "-" => ArithmeticOp::Sub,
        "*" => ArithmeticOp::Mul,
        "/" => ArithmeticOp::Div,
        "%" => ArithmeticOp::Mod,
        _ => return None,
    })
}

/// `ilike` is `like`: both ignore case.
pub(super) fn match_kind(word: &str) -> Option<MatchKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "contains" => MatchKind::Contains,
        "starts_with" => MatchKind::StartsWith,
        "ends_with" => MatchKind::EndsWith,
        "like" | "ilike" => MatchKind::Like,
        _ => return None,
    })
}

fn has_word(word: &str) -> Option<HasWord> {
    Some(match word.to_ascii_lowercase().as_str() {
        "has" => HasWord::Has,
        "has_any" => HasWord::HasAny,
        "has_all" => HasWord::HasAll,
        _ => return None,
    })
}

/// Functions that stand for a list: `in my_teams()` needs no parentheses around them.
pub(super) fn is_own_list(word: &str) -> bool {
    matches!(word, "my_teams" | "my_reports")
}
