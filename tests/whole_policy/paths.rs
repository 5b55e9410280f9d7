//! The scenarios: for each kind of transition and each trigger a ticket that fires and a twin that differs in one thing.
//!
//! What needs hours is opened first. A real desk lives in its own time, and only the daemon's clock is moved: a ticket that is
//! opened later would look old to it.

use crate::desk::{Mail, Stage, Ticket};
use jiff::SignedDuration;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SHORTLY: SignedDuration = SignedDuration::from_mins(13);

/// The customer of a pair; no two pairs share one.
fn support(from: &'static str, subject: &'static str) -> Ticket {
    Ticket { team: "frontline", from, subject, text: "It worked until Tuesday. Can you help?", ..Ticket::default() }
}

/// A ticket and its twin.
struct Pair {
    fires: String,
    twin: String,
}

impl Pair {
    fn open(stage: &mut dyn Stage, fires: &Ticket, twin: &Ticket) -> Self {
        Self { fires: stage.opens(fires), twin: stage.opens(twin) }
    }

    /// The one is with its new team, by this rule; nothing was written on the other.
    fn parted(&self, stage: &mut dyn Stage, to: &str, from: &str, rule: &str) -> String {
        let written = stage.written(&self.fires);
        assert_eq!(stage.team(&self.fires), to, "{rule}: {written:#?}");
        let (public, note) = written.first().unwrap_or_else(|| panic!("{rule}: nothing was written"));
        assert!(!public && note.contains(&format!("(rule {rule}")), "{rule}: {note}");
        for always in ["Why: ", "Owner: ", "Clocks: ", "answers for them", "Open for: "] {
            assert!(note.contains(always), "{rule}: no {always:?} in {note}");
        }
        self.together(stage, from, rule);
        note.clone()
    }

    fn together(&self, stage: &mut dyn Stage, from: &str, rule: &str) {
        let twin = stage.written(&self.twin);
        assert_eq!((stage.team(&self.twin).as_str(), twin.len()), (from, 0), "the twin of {rule}: {twin:#?}");
    }
}

/// All of them, one after the other.
pub fn all(stage: &mut dyn Stage) {
    let (sla, waiting) = (before_a_breach(stage), nobody_moves(stage));
    stage.pass(SHORTLY);
    for (pair, rule) in [(&sla, "no-first-reply"), (&waiting, "nobody-moves")] {
        assert_eq!(stage.team(&pair.fires), "frontline", "{rule} has its time");
        pair.together(stage, "frontline", rule);
    }
    routed(stage);
    beyond_the_playbook(stage);
    let paused = refund(stage);
    steps_failed(stage);
    let unclaimed = premium(stage);
    comes_again(stage);
    let asked = on_request(stage);
    machine_mail(stage);
    asked_for_steps(stage);
    sensitive(stage);
    words_of_a_risk(stage);

    stage.pass(SignedDuration::from_hours(4));
    sla.parted(stage, "second-line", "frontline", "no-first-reply");
    nobody_claims(stage, &unclaimed, &asked);
    assert_eq!(stage.team(&waiting.fires), "frontline", "sixteen hours are not over");
    stage.pass(SignedDuration::from_hours(12));
    waiting.parted(stage, "second-line", "frontline", "nobody-moves");
    gone_back(stage, &unclaimed);
    assert!(stage.stands_still(&paused), "a day is not over");
    stage.pass(SignedDuration::from_hours(20));
    assert!(!stage.stands_still(&paused), "the customer's clock stands still for a day at most");
    let last = stage.written(&paused).pop().map(|(_, text)| text).unwrap_or_default();
    assert!(last.contains("The customer's clock runs again"), "{last}");
}

/// sla: the first reply is due in four hours. The twin was answered.
fn before_a_breach(stage: &mut dyn Stage) -> Pair {
    let ticket = support("ada@standard.example", "The clock in the app is wrong");
    let pair = Pair::open(stage, &ticket, &Ticket { from: "bea@standard.example", ..ticket.clone() });
    stage.replies(&pair.twin, "Thank you, we are looking into it.");
    pair
}

/// waiting: the twin waits for somebody, which is no neglect.
fn nobody_moves(stage: &mut dyn Stage) -> Pair {
    let ticket = Ticket { tags: &["waiting"], ..support("cem@standard.example", "Where is my order") };
    let pair = Pair::open(stage, &ticket, &Ticket { from: "dee@standard.example", ..ticket.clone() });
    stage.waits(&pair.twin);
    pair
}

/// Where a case starts: invoices with billing, everything else with the first line.
fn routed(stage: &mut dyn Stage) {
    let incoming = |from, subject| Ticket { team: "incoming", ..support(from, subject) };
    let (invoice, other) =
        (incoming("eli@standard.example", "Your invoice 17"), incoming("fay@standard.example", "Hi"));
    let (invoice, other) = (stage.opens(&invoice), stage.opens(&other));
    stage.pass(SHORTLY);
    assert_eq!((stage.team(&invoice).as_str(), stage.team(&other).as_str()), ("billing", "frontline"));
    let [note, other] = [invoice, other].map(|ticket| stage.written(&ticket));
    assert!(note[0].1.contains("(rule invoices"), "{note:?}");
    assert!(other[0].1.contains("(rule everything-else"), "{other:?}");
}

/// complexity, tier 1 to tier 2: step 5 of the playbook is not the first line's. The twin is at step 4.
fn beyond_the_playbook(stage: &mut dyn Stage) {
    let ticket = support("gus@standard.example", "Charged once too often");
    let pair = Pair::open(stage, &ticket, &Ticket { from: "hal@standard.example", ..ticket.clone() });
    stage.notes(&pair.fires, "Leitfaden: double-charge, Schritt 5");
    stage.notes(&pair.twin, "Leitfaden: double-charge, Schritt 4");
    stage.pass(SHORTLY);
    let note = pair.parted(stage, "second-line", "frontline", "beyond-the-playbook");
    assert!(note.contains("counted since the case was opened"), "the target began with the case: {note}");
    assert!(note.contains("; frontline answers for them"), "{note}");
    owned_by_staff(stage, &pair.fires, "second-line");
}

/// exception, support to billing: a refund above the limit, in whose package nothing is missing. The twin is within it.
/// The customer is told, and their clock stands still.
fn refund(stage: &mut dyn Stage) -> String {
    let ticket = Ticket {
        tags: &["refund"],
        fields: &[("refund_eur", "750")],
        mail: Mail::Person,
        ..support("ida@standard.example", "Please pay it back")
    };
    let within = Ticket { from: "jon@standard.example", fields: &[("refund_eur", "500")], ..ticket.clone() };
    let pair = Pair::open(stage, &ticket, &within);
    stage.pass(SHORTLY);
    let note = pair.parted(stage, "billing", "frontline", "refund-over-limit");
    assert!(note.contains("the customer's stands still ("), "{note}");
    let told: Vec<String> =
        stage.written(&pair.fires).into_iter().filter(|(public, _)| *public).map(|(_, text)| text).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Our billing specialists are"), "{told:?}");
    assert!(stage.stands_still(&pair.fires) && !stage.stands_still(&pair.twin));
    pair.fires
}

/// steps-failed, support to engineering: nothing of the checklist helped. In the twin's one step is open.
fn steps_failed(stage: &mut dyn Stage) {
    let ticket = support("kai@standard.example", "Sync stops with E-4127");
    let pair = Pair::open(stage, &ticket, &Ticket { from: "lia@standard.example", ..ticket.clone() });
    stage.notes(&pair.fires, "Versucht:\n- [x] Restarted it: erfolglos\n- [x] Emptied the cache: erfolglos");
    stage.notes(&pair.twin, "Versucht:\n- [x] Restarted it: erfolglos\n- [ ] Empty the cache");
    stage.pass(SHORTLY);
    pair.parted(stage, "engineering", "frontline", "nothing-helped");
    owned_by_staff(stage, &pair.fires, "engineering");
}

/// account, frontline to an account specialist: a premium account. The twin's is a standard one.
fn premium(stage: &mut dyn Stage) -> Pair {
    let ticket = Ticket { fields: &[("tier", "premium")], ..support("mia@standard.example", "New users") };
    let standard = Ticket { from: "ned@standard.example", fields: &[("tier", "standard")], ..ticket.clone() };
    let pair = Pair::open(stage, &ticket, &standard);
    stage.pass(SHORTLY);
    let note = pair.parted(stage, "accounts", "frontline", "premium-account");
    assert!(note.contains("; else it goes on to second-line, then it goes back"), "{note}");
    pair
}

/// Hours later nobody of the receiving teams has acted: one lead is asked, the other case goes on. Of the twins nothing
/// is awaited.
fn nobody_claims(stage: &mut dyn Stage, unclaimed: &Pair, asked: &str) {
    let written = stage.written(asked);
    let last = written.last().map(|(public, text)| (*public, text.as_str()));
    assert!(last.is_some_and(|(public, text)| !public && text.starts_with("Not taken on: ")), "{written:#?}");
    assert!(written[written.len() - 1].1.contains("\nbilling-lead"), "{written:#?}");
    assert_eq!(stage.owner(asked), Some(stage.lead()));
    let written = stage.written(&unclaimed.fires);
    assert_eq!((stage.team(&unclaimed.fires).as_str(), written.len()), ("second-line", 2), "{written:#?}");
    assert!(written[1].1.starts_with("Escalated: accounts → second-line"), "{written:#?}");
    unclaimed.together(stage, "frontline", "premium-account");
}

/// Nobody of the second line either: back to who gave it, once.
fn gone_back(stage: &mut dyn Stage, unclaimed: &Pair) {
    let written = stage.written(&unclaimed.fires);
    assert_eq!((stage.team(&unclaimed.fires).as_str(), written.len()), ("frontline", 3), "{written:#?}");
    assert!(written[2].1.starts_with("Returned unclaimed: second-line → frontline"), "{written:#?}");
    unclaimed.together(stage, "frontline", "premium-account");
}

/// repeat, the general queue to the product's: the customer's third ticket of the month. The twin's is the second.
fn comes_again(stage: &mut dyn Stage) {
    let ticket = Ticket { team: "general", ..support("ole@standard.example", "It is slow again") };
    let rarely = Ticket { from: "pat@standard.example", ..ticket.clone() };
    for ticket in [&ticket, &ticket, &rarely] {
        stage.opens(ticket);
    }
    stage.pass(SHORTLY);
    let pair = Pair::open(stage, &ticket, &rarely);
    stage.pass(SHORTLY);
    let note = pair.parted(stage, "product", "general", "comes-again");
    assert!(note.contains("2 other tickets of this customer"), "{note}");
}

/// manual: an agent asks inside the helpdesk. On the twin's nobody did.
fn on_request(stage: &mut dyn Stage) -> String {
    let ticket = support("quy@standard.example", "Where is my money");
    let pair = Pair::open(stage, &ticket, &Ticket { from: "ria@standard.example", ..ticket.clone() });
    // A person needs longer than the second in which the ticket was opened.
    stage.pass(MINUTE);
    stage.notes(&pair.fires, "/handoff billing they threaten to leave");
    stage.notes(&pair.twin, "They threaten to leave.");
    stage.pass(SHORTLY);
    stage.pass(SHORTLY);
    let note = pair.parted(stage, "billing", "frontline", "on-request");
    assert!(note.contains("they threaten to leave"), "{note}");
    assert_eq!(stage.owner(&pair.fires), Some(stage.lead()), "a person of the policy, who is always on duty");
    assert_eq!(stage.owner(&pair.twin), None);
    pair.fires
}

/// One of the team's people owns a case now, chosen by the daemon.
fn owned_by_staff(stage: &mut dyn Stage, ticket: &str, team: &str) {
    let staff = stage.staff(team);
    let owner = stage.owner(ticket).unwrap_or_else(|| panic!("nobody of {team} owns it, of {staff:?}"));
    assert!(staff.contains(&owner), "{owner} is none of {team}'s {staff:?}");
}

/// A package in which a part is missing: asked for, supplied inside the helpdesk, handed off. The twin's agent says nothing.
fn asked_for_steps(stage: &mut dyn Stage) {
    let ticket = Ticket { tags: &["account-in-doubt"], ..support("uma@standard.example", "Two names on one bill") };
    let pair = Pair::open(stage, &ticket, &Ticket { from: "vic@standard.example", ..ticket.clone() });
    stage.pass(SHORTLY);
    for asked in [&pair.fires, &pair.twin] {
        let written = stage.written(asked);
        assert_eq!((stage.team(asked).as_str(), written.len()), ("frontline", 1), "{written:#?}");
        assert!(!written[0].0 && written[0].1.contains("\n- steps: "), "{written:#?}");
    }
    stage.notes(&pair.fires, "Versucht:\n- [x] Called both of them");
    stage.pass(SHORTLY);
    stage.pass(SHORTLY);
    let written = stage.written(&pair.fires);
    assert_eq!((stage.team(&pair.fires).as_str(), written.len()), ("accounts", 2), "{written:#?}");
    assert!(written[1].1.contains("Called both of them"), "{written:#?}");
    let twin = stage.written(&pair.twin);
    assert_eq!((stage.team(&pair.twin).as_str(), twin.len()), ("frontline", 1), "{twin:#?}");
}

/// A sensitive rule whose version the second reviewer has signed. The twin is not about rights.
fn sensitive(stage: &mut dyn Stage) {
    let ticket = Ticket { tags: &["access-rights"], ..support("wes@standard.example", "Let me see her account") };
    let pair = Pair::open(stage, &ticket, &Ticket { from: "xia@standard.example", tags: &[], ..ticket.clone() });
    stage.pass(SHORTLY);
    pair.parted(stage, "accounts", "frontline", "access-rights");
}

/// A premium account whose words are of a risk waits for a yes. The twin says nothing of the kind.
fn words_of_a_risk(stage: &mut dyn Stage) {
    let ticket = Ticket {
        fields: &[("tier", "premium")],
        text: "Somebody hacked our account. Can you help?",
        ..support("yan@standard.example", "A new user")
    };
    let text = "Somebody left our company. Can you help?";
    let plain = Ticket { from: "zoe@standard.example", text, ..ticket.clone() };
    let (asks, plain) = (stage.opens(&ticket), stage.opens(&plain));
    stage.pass(SHORTLY);
    assert_eq!(stage.team(&plain), "accounts", "{:#?}", stage.written(&plain));
    assert_eq!((stage.team(&asks).as_str(), stage.written(&asks).len()), ("frontline", 0));
    stage.notes(&asks, "/approve we have called them");
    stage.pass(SHORTLY);
    let written = stage.written(&asks);
    assert_eq!((stage.team(&asks).as_str(), written.len()), ("accounts", 1), "{written:#?}");
    assert!(written[0].1.contains("Approved by: "), "{written:#?}");
}

/// Machine mail is a fact: the twin is the same mail, written by a person.
fn machine_mail(stage: &mut dyn Stage) {
    let ticket =
        Ticket { tags: &["robot"], mail: Mail::Machine, ..support("sue@standard.example", "I am out of the office") };
    let person = Ticket { from: "tom@standard.example", mail: Mail::Person, ..ticket.clone() };
    let pair = Pair::open(stage, &ticket, &person);
    stage.pass(SHORTLY + MINUTE);
    pair.parted(stage, "product", "frontline", "automatic-answer");
}
