//! Weak triage: a case that began with the wrong team. One definition, for the ledger, which marks our routes by it, and for
//! reports, which count it in any log.

use jiff::SignedDuration;

/// The time that counts where the policy gives none.
pub const WITHIN: SignedDuration = SignedDuration::from_mins(60);

/// Whether a first stay that lasted so long, until another team had the case, was weak triage.
pub fn is_weak(lasted: SignedDuration, within: SignedDuration) -> bool {
    lasted <= within
}
