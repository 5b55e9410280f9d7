//! Text ─▶ the parser's tree. The text is bounded before the parser sees it: long chains of operators would exhaust its
//! stack. Where it cannot be read, the usual slips (`and`, `=`, typographic quotes) are named with what to write.

use crate::policy::condition::ConditionProblem;
use cel::common::ast::{Expr, IdedExpr, SourceInfo};
use cel::{Env, ParseError};

/// Characters that a condition may have.
pub const LENGTH_MAX: usize = 2_000;
/// Operators, dots, brackets and commas that it may have: a chain of them is a recursion in the parser.
const SIGNS_MAX: usize = 300;

/// Reads a condition's text.
pub fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), Vec<ConditionProblem>> {
    let whole = |message: String, help: &str| ConditionProblem {
        start: 0,
        end: source.len(),
        message,
        help: Some(help.to_owned()),
    };
    let length = source.chars().count();
    if length > LENGTH_MAX {
        let message = format!("this condition has {length} characters; at most {LENGTH_MAX} are read");
        return Err(vec![whole(message, "split it into a list of conditions: all of them must hold")]);
    }
    if source.trim().is_empty() {
        return Err(vec![whole("this condition is empty".into(), "write `true` for one that always holds")]);
    }
    if signs(source) > SIGNS_MAX {
        let message = format!("this condition has more than {SIGNS_MAX} operators, dots and brackets");
        return Err(vec![whole(message, "split it, or put many values into one list: `x in [\"a\", \"b\"]`")]);
    }
    let readable = without_reserved(source);
    Env::default().with_optional_support(false).parser().parse_with_source_info(&readable).map_err(|errors| {
        let slips = slips(source);
        if slips.is_empty() {
            errors.errors.first().map(|error| complaint(source, error)).into_iter().collect()
        } else {
            slips
        }
    })
}

/// A word that CEL keeps for itself and that is a fact of ours, and what the parser reads in its place: as long, so that
/// every place stays.
const RESERVED: (&str, &str) = ("package", "p_ck_ge");

/// The text as the parser takes it.
fn without_reserved(source: &str) -> String {
    let plain = without_strings(source);
    let mut readable = source.to_owned();
    let (ours, read) = RESERVED;
    for (at, word) in words(&plain) {
        if word == ours.as_bytes() || word.strip_prefix(ours.as_bytes()).is_some_and(|rest| rest.starts_with(b".")) {
            readable.replace_range(at..at + ours.len(), read);
        }
    }
    readable
}

/// A name as it was written.
pub fn as_written(name: &str) -> &str {
    if name == RESERVED.1 { RESERVED.0 } else { name }
}

/// Where an expression stands in the text, as byte offsets. The parser keeps one token for each node; its reach is
/// that of all nodes inside.
pub fn span(source: &str, places: &SourceInfo, expression: &IdedExpr) -> (usize, usize) {
    let own = places.offset_for(expression.id).map(|(start, stop)| (start as usize, stop as usize + 1));
    let mut reach = own.unwrap_or((0, source.len()));
    let mut take = |inner: &IdedExpr| {
        let (start, end) = span(source, places, inner);
        reach = (reach.0.min(start), reach.1.max(end));
    };
    match &expression.expr {
        Expr::Select(select) => {
            take(&select.operand);
            // Its token is the dot; the name stands behind it.
            let name = source.get(reach.1..).and_then(|rest| rest.find(select.field.as_str()));
            reach.1 += name.map_or(0, |at| at + select.field.len());
        }
        Expr::Call(call) => {
            call.target.iter().for_each(|target| take(target));
            call.args.iter().for_each(&mut take);
            let rest = source.get(reach.1..).unwrap_or_default();
            let closes =
                rest.trim_start().starts_with([')', ']']) && own.is_some_and(|(start, _)| opens(source, start));
            reach.1 += if closes { rest.len() - rest.trim_start().len() + 1 } else { 0 };
            if call.target.is_none() && source[..reach.0].ends_with(call.func_name.as_str()) {
                reach.0 -= call.func_name.len();
            }
        }
        Expr::List(list) => list.elements.iter().for_each(take),
        _ => {}
    }
    (reach.0.min(source.len()), reach.1.min(source.len()))
}

fn opens(source: &str, at: usize) -> bool {
    matches!(source.as_bytes().get(at), Some(b'(' | b'['))
}

/// The text with the content of its string literals blanked, byte for byte.
fn without_strings(source: &str) -> Vec<u8> {
    let mut plain = source.as_bytes().to_vec();
    let mut quote = None;
    let mut escaped = false;
    for byte in &mut plain {
        match quote {
            None if matches!(*byte, b'"' | b'\'') => quote = Some(*byte),
            None => {}
            Some(open) => {
                if !escaped && *byte == open {
                    quote = None;
                } else {
                    escaped = !escaped && *byte == b'\\';
                    *byte = b' ';
                }
            }
        }
    }
    plain
}

fn signs(source: &str) -> usize {
    without_strings(source)
        .iter()
        .filter(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'"' | b'\''))
        .count()
}

/// The usual slips, each with what to write instead.
fn slips(source: &str) -> Vec<ConditionProblem> {
    let plain = without_strings(source);
    let mut found: Vec<ConditionProblem> = Vec::new();
    let mut slip = |start: usize, end: usize, right: &str| {
        let wrong = source.get(start..end).unwrap_or_default();
        let message = format!("`{wrong}` is not part of this language");
        found.push(ConditionProblem { start, end, message, help: Some(format!("write `{right}`")) });
    };
    let around = |at: usize| (at.checked_sub(1).and_then(|before| plain.get(before)), plain.get(at + 1));
    for (at, byte) in plain.iter().enumerate() {
        let (before, after) = around(at);
        match byte {
            b'=' if !matches!(before, Some(b'=' | b'!' | b'<' | b'>')) && after != Some(&b'=') => {
                slip(at, at + 1, "==")
            }
            b'&' if before != Some(&b'&') && after != Some(&b'&') => slip(at, at + 1, "&&"),
            b'|' if before != Some(&b'|') && after != Some(&b'|') => slip(at, at + 1, "||"),
            b'<' if after == Some(&b'>') => slip(at, at + 2, "!="),
            _ => {}
        }
    }
    for (at, word) in words(&plain) {
        match word.to_ascii_lowercase().as_slice() {
            b"and" => slip(at, at + 3, "&&"),
            b"or" => slip(at, at + 2, "||"),
            b"not" => slip(at, at + 3, "!"),
            _ => {}
        }
    }
    for (at, quote) in source.char_indices().filter(|(at, _)| plain.get(*at) != Some(&b' ')) {
        if matches!(quote, '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}') {
            slip(at, at + quote.len_utf8(), "\"");
        }
    }
    found.sort_by_key(|problem| problem.start);
    found
}

fn words(plain: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let mut at = 0;
    std::iter::from_fn(move || {
        at += plain.get(at..)?.iter().take_while(|byte| !part(byte)).count();
        let length = plain.get(at..)?.iter().take_while(|byte| part(byte)).count();
        let word = plain.get(at..at + length).filter(|word| !word.is_empty())?;
        at += length;
        Some((at - length, word))
    })
}

/// The parser's own complaint: its place, and what it says in plain words.
fn complaint(source: &str, error: &ParseError) -> ConditionProblem {
    let start = offset(source, error.pos);
    let end = source.get(start..).and_then(|rest| rest.chars().next()).map_or(source.len(), |at| start + at.len_utf8());
    let quoted = |text: &str| text.split('\'').nth(1).unwrap_or_default().to_owned();
    let says = error.msg.trim_start_matches("Syntax error: ");
    let (message, help) = if says.contains("'<EOF>'") {
        ("the condition ends too early".to_owned(), "something is missing at its end: a value, or a closing bracket")
    } else if says.starts_with("token recognition error at: ''") || says.starts_with("token recognition error at: '\"")
    {
        ("this text is not closed".to_owned(), "put the same quote at its end")
    } else if says.starts_with("token recognition error") {
        (
            "this character is not part of this language".to_owned(),
            "text stands in quotes; names have letters, digits and _",
        )
    } else if says.starts_with("extraneous input") || says.starts_with("mismatched input") {
        (format!("`{}` does not belong here", quoted(says)), "an operator is missing, or text stands without quotes")
    } else if says.starts_with("no viable alternative") {
        ("this cannot be read".to_owned(), "look for a doubled dot or a missing value")
    } else if says.contains("Recursion limit") || says.contains("recursion limit") {
        (
            "this is nested too deeply to be read".to_owned(),
            "use fewer brackets within brackets, or split it into a list of conditions",
        )
    } else {
        (says.to_owned(), "see the policy guide, conditions")
    };
    ConditionProblem { start, end, message, help: Some(help.to_owned()) }
}

/// The parser counts lines and characters from 1.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let within = source.get(before..).unwrap_or_default();
    before + within.char_indices().nth(column).map_or(within.len(), |(at, _)| at)
}
