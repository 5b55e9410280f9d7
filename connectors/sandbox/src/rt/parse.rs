//! TicketSQL into conditions: as much of it as the RT sheet shows (*Searching*).

use super::condition::{Condition, Op, Test};

/// Deeper than this nobody nests.
const DEPTH_MAX: usize = 32;

/// Reads a query.
///
/// # Errors
/// RT's own words, up to where it happened.
pub(super) fn parse(query: &str) -> Result<Condition, String> {
    let mut reader = Reader { query, rest: query };
    let condition = reader.any(0)?;
    if reader.next()?.is_some() {
        return Err(reader.wrong("AND or OR"));
    }
    Ok(condition)
}

struct Reader<'a> {
    query: &'a str,
    rest: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

const SIGNS: [&str; 10] = ["!=", "<=", ">=", "<>", "=", "<", ">", "(", ")", ","];

impl Reader<'_> {
    fn wrong(&self, wanted: &str) -> String {
        let at = self.query.len() - self.rest.len();
        let (before, after) = self.query.split_at(at);
        format!("Wrong query, expecting a {wanted} in '{before}<--here {after}'")
    }

    fn next(&mut self) -> Result<Option<Token>, String> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        if first == '\'' || first == '"' {
            return self.quoted(first).map(Some);
        }
        if let Some(sign) = SIGNS.into_iter().find(|sign| self.rest.starts_with(sign)) {
            self.rest = &self.rest[sign.len()..];
            return Ok(Some(Token::Sign(sign)));
        }
        let ends = |letter: char| letter.is_whitespace() || "'\"!=<>(),".contains(letter);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.wrong("KEYWORD"));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Some(Token::Word(word.to_owned())))
    }

    fn quoted(&mut self, quote: char) -> Result<Token, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                letter if letter == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Token::Quoted(text));
                }
                letter => text.push(letter),
            }
        }
        Err(self.wrong("VALUE"))
    }

    /// Takes the next word if it is this one.
    fn takes(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        let found = match self.next() {
            Ok(Some(Token::Word(word))) => word.eq_ignore_ascii_case(wanted),
            Ok(Some(Token::Sign(sign))) => sign == wanted,
            _ => false,
        };
        if !found {
            self.rest = before;
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.one(depth)?];
        while self.takes("AND") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, String> {
        if depth > DEPTH_MAX {
            return Err(self.wrong("KEYWORD"));
        }
        if self.takes("(") {
            let inner = self.any(depth + 1)?;
            return if self.takes(")") { Ok(inner) } else { Err(self.wrong("CLOSE_PAREN")) };
        }
        let field = match self.next()? {
            Some(Token::Word(field) | Token::Quoted(field)) => field,
            _ => return Err(self.wrong("KEYWORD or OPEN_PAREN")),
        };
        self.test(field).map(Condition::Test)
    }

    fn test(&mut self, field: String) -> Result<Test, String> {
        let negated = self.takes("NOT");
        if self.takes("IN") {
            let op = if negated { Op::IsNot } else { Op::Is };
            return Ok(Test { field, op, values: self.list()? });
        }
        if self.takes("LIKE") {
            let op = if negated { Op::NotLike } else { Op::Like };
            return Ok(Test { field, op, values: vec![self.value()?] });
        }
        if !negated && self.takes("IS") {
            let op = if self.takes("NOT") { Op::IsNot } else { Op::Is };
            return if self.takes("NULL") { Ok(Test { field, op, values: vec![] }) } else { Err(self.wrong("VALUE")) };
        }
        let before = self.rest;
        let op = match self.next()? {
            Some(Token::Sign(sign)) if !negated => Op::read(sign),
            _ => None,
        };
        let Some(op) = op else {
            self.rest = before;
            return Err(self.wrong("OPERATOR"));
        };
        Ok(Test { field, op, values: vec![self.value()?] })
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.takes("(") {
            return Err(self.wrong("OPEN_PAREN"));
        }
        let mut values = vec![self.value()?];
        while self.takes(",") {
            values.push(self.value()?);
        }
        if self.takes(")") { Ok(values) } else { Err(self.wrong("CLOSE_PAREN")) }
    }

    fn value(&mut self) -> Result<String, String> {
        let before = self.rest;
        match self.next()? {
            Some(Token::Word(value) | Token::Quoted(value)) => Ok(value),
            _ => {
                self.rest = before;
                Err(self.wrong("VALUE"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(field: &str, op: Op, values: &[&str]) -> Condition {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        Condition::Test(Test { field: field.into(), op, values })
    }

    #[test]
    fn the_queries_of_the_sheet_are_read() {
        let both = parse("Queue = 'tier1' AND LastUpdated >= '2026-11-23 05:24:56'").unwrap();
        let parts = [test("Queue", Op::Is, &["tier1"]), test("LastUpdated", Op::AtLeast, &["2026-11-23 05:24:56"])];
        assert_eq!(both, Condition::All(parts.to_vec()));
        assert_eq!(
            parse("'CF.{customer-tier}' = 'enterprise'"),
            Ok(test("CF.{customer-tier}", Op::Is, &["enterprise"]))
        );
        assert_eq!(parse("'CF.{handoff-key}' IS NULL"), Ok(test("CF.{handoff-key}", Op::Is, &[])));
        assert_eq!(parse("id>1070"), Ok(test("id", Op::More, &["1070"])));
        let sight = parse(r"id > 1 AND (TicketQueue = 'a' OR TicketQueue = 'bob\'s\\own')").unwrap();
        let Condition::All(parts) = sight else { panic!("{sight:?}") };
        let queues = [test("TicketQueue", Op::Is, &["a"]), test("TicketQueue", Op::Is, &[r"bob's\own"])];
        assert_eq!(parts[1], Condition::Any(queues.to_vec()));
    }

    #[test]
    fn what_is_no_query_is_refused_in_rts_words() {
        let words = parse("Queue 'tier1'").unwrap_err();
        assert!(words.starts_with("Wrong query, expecting a OPERATOR in '"), "{words}");
        for query in [
            "",
            "Queue",
            "Queue =",
            "Queue == 'x'",
            "Queue = 'x",
            "(Queue = 'x'",
            "Queue = 'x' OR",
            "Queue = 'x' Y",
            "Queue NOT = 'x'",
            "Queue IS 'x'",
            "'",
            "é",
            "Queue IN ('x'",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
    }
}
