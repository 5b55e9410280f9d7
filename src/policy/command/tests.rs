//! What is a command, and everything that only looks like one.

use super::*;
use crate::policy::languages::PublicName;
use crate::policy::teams::Team;
use crate::policy::testing;
use handoffd_kit::desk::QueueSpec;
use proptest::prelude::*;

fn in_note(words: &str) -> Option<Command> {
    let (policy, desk) = (testing::policy(), DeskId::from("acme"));
    Vocabulary::new(&policy, &desk).in_note(words)
}

fn in_tag(tag: &str) -> Option<Command> {
    let (policy, desk) = (testing::policy(), DeskId::from("acme"));
    Vocabulary::new(&policy, &desk).in_tag(tag)
}

fn handoff(to: &str, reason: Option<&str>) -> Option<Command> {
    Some(Command::Handoff { to: Target::Team(to.into()), reason: reason.map(str::to_owned) })
}

fn back(reason: &str) -> Option<Command> {
    Some(Command::Back { reason: Some(reason.into()) })
}

#[test]
fn each_command_is_read_with_its_words() {
    assert_eq!(in_note("/handoff billing the customer insists"), handoff("billing", Some("the customer insists")));
    assert_eq!(in_note("/handoff billing"), handoff("billing", None));
    assert_eq!(in_note("/handoff"), Some(Command::Handoff { to: Target::Missing, reason: None }));
    assert_eq!(in_note("/back refunded 600 EUR"), back("refunded 600 EUR"));
    assert_eq!(in_note("/reject no order number"), Some(Command::Reject { reason: Some("no order number".into()) }));
    assert_eq!(in_note("/reject"), Some(Command::Reject { reason: None }));
    assert_eq!(in_note("/approve"), Some(yes()));
    let rate = |rating, reason: Option<&str>| Some(Command::Rate { rating, reason: reason.map(str::to_owned) });
    assert_eq!(in_note("/rate good"), rate(Some(Rating::Good), None));
    assert_eq!(in_note("/rate Poor: no order number"), rate(Some(Rating::Poor), Some("no order number")));
    assert_eq!(in_note("/rate splendid"), rate(None, None));
}

#[test]
fn case_wide_letters_punctuation_and_invisible_marks_around_are_forgiven() {
    for words in [
        "/Approve",
        "/APPROVE.",
        "/approve!",
        "／approve",
        "／ＡＰＰＲＯＶＥ",
        "  \t/approve  ",
        "\n\n \u{a0}\n/approve\nThanks",
        "\u{200f}/approve\u{200e}",
        "\u{feff}/approve",
        "\u{2068}/approve\u{2069}",
        "\r\n/approve\r\n",
        "/approve:",
        "/approve\u{3000}",
    ] {
        assert_eq!(in_note(words), Some(yes()), "{words:?}");
    }
    assert_eq!(in_note("/back: done"), back("done"));
    assert_eq!(in_note("/back:done"), back("done"));
    assert_eq!(in_note("/BACK - done, see order 7"), back("done, see order 7"));
    assert_eq!(in_note("/handoff:billing please"), handoff("billing", Some("please")));
}

#[test]
fn what_is_quoted_forwarded_or_talked_about_is_no_command() {
    for words in [
        "> /approve",
        ">> /approve",
        "| /approve",
        "- /approve",
        "* /approve",
        "\"/approve\"",
        "`/approve`",
        "Please type /approve",
        "Hello,\n/approve",
        "On Monday the customer wrote:\n/handoff billing",
        "-----Original Message-----\n/approve",
        "Fwd: /approve",
        "@lead /approve",
        "//approve",
        "\\/approve",
        "/ approve",
        "/approved",
        "/approve/now",
        "/back-end is down",
        "/etc/passwd is readable",
        "/handof billing",
        "/shrug",
        "/",
        "／",
        "",
        " \n\t\n",
        "approve",
        "/app\u{200b}rove",
        "/app\u{ad}rove",
        "/аpprove",
    ] {
        assert_eq!(in_note(words), None, "{words:?}");
    }
}

#[test]
fn a_line_that_reads_otherwise_than_it_stands_is_no_command() {
    for words in ["\u{202e}/approve", "/approve \u{202e}tcejer/", "/reject \u{202d}x", "\u{202e}evorppa/"] {
        assert_eq!(in_note(words), None, "{words:?}");
    }
    // Marks that only steer the direction of a reason are left out of it.
    assert_eq!(in_note("/back \u{2067}בוצע\u{2069}"), back("בוצע"));
}

#[test]
fn a_team_goes_by_its_key_its_queue_and_its_public_name_and_the_longest_name_wins() {
    let mut policy = testing::policy();
    let billing = policy.teams[&"billing".into()].clone();
    let team = |name: &str, queue: &str| Team {
        name: name.into(),
        queue: QueueSpec::Name(queue.into()),
        public_name: None,
        ..billing.clone()
    };
    for new in [team("tier", "First"), team("second_line", "Tier 2")] {
        policy.teams.insert(new.name.clone(), new);
    }
    let elsewhere = Team { desk: "other".into(), ..team("legal", "Legal") };
    policy.teams.insert("legal".into(), elsewhere);
    let desk = DeskId::from("acme");
    let read = |words: &str| Vocabulary::new(&policy, &desk).in_note(words);
    for words in [
        "/handoff second_line x",
        "/handoff second-line x",
        "/handoff Second Line x",
        "/handoff Tier 2 x",
        "/handoff \"tier 2\", x",
        "/handoff TIER-2: x",
    ] {
        assert_eq!(read(words), handoff("second_line", Some("x")), "{words}");
    }
    assert_eq!(read("/handoff tier x"), handoff("tier", Some("x")));
    let unknown = |word: &str| Some(Command::Handoff { to: Target::Unknown(word.into()), reason: Some("x".into()) });
    assert_eq!(read("/handoff legal x"), unknown("legal"));
    assert_eq!(read("/handoff nobody, x"), unknown("nobody"));
}

#[test]
fn a_name_that_two_teams_share_names_neither() {
    let mut policy = testing::policy();
    for team in policy.teams.values_mut() {
        team.public_name = Some(PublicName::everywhere("our specialists"));
    }
    let desk = DeskId::from("acme");
    let read = Vocabulary::new(&policy, &desk).in_note("/handoff our specialists");
    let Some(Command::Handoff { to: Target::Unknown(_), .. }) = read else { panic!("{read:?}") };
}

#[test]
fn labels_give_the_same_commands() {
    assert_eq!(in_tag("handoff:billing"), handoff("billing", None));
    assert_eq!(in_tag("Handoff:Billing"), handoff("billing", None));
    assert_eq!(in_tag("handoff-to-billing"), handoff("billing", None));
    assert_eq!(in_tag("handoff-back"), Some(Command::Back { reason: None }));
    assert_eq!(in_tag("handoff-reject"), Some(Command::Reject { reason: None }));
    assert_eq!(in_tag("handoff-approve"), Some(yes()));
    assert_eq!(in_tag("handoff-good"), Some(Command::Rate { rating: Some(Rating::Good), reason: None }));
    assert_eq!(in_tag("handoff-poor"), Some(Command::Rate { rating: Some(Rating::Poor), reason: None }));
    assert_eq!(in_tag("handoff:nobody"), Some(Command::Handoff { to: Target::Unknown("nobody".into()), reason: None }));
    for other in ["handoff", "handoff:", "handoff-", "handoff-backlog", "vip", "", "/approve", "xhandoff:billing"] {
        assert_eq!(in_tag(other), None, "{other:?}");
    }
}

#[test]
fn labels_are_what_the_desk_calls_them_and_either_way_can_be_closed() {
    let mut policy = testing::policy();
    let desk = DeskId::from("acme");
    let words = &mut policy.desks.get_mut(&desk).expect("desk").commands;
    words.handoff = vec!["goes_to_{team}_now".into()];
    words.back = "done_here".into();
    let read = Vocabulary::new(&policy, &desk);
    assert_eq!(read.in_tag("goes_to_billing_now"), handoff("billing", None));
    assert_eq!(read.in_tag("done_here"), Some(Command::Back { reason: None }));
    assert_eq!(read.in_tag("handoff-back"), None);
    policy.desks.get_mut(&desk).expect("desk").commands = CommandWords { notes: false, ..CommandWords::default() };
    let read = Vocabulary::new(&policy, &desk);
    assert!(read.in_note("/approve").is_none() && read.in_tag("handoff-approve").is_some() && read.listens());
    policy.desks.get_mut(&desk).expect("desk").commands =
        CommandWords { notes: false, tags: false, ..CommandWords::default() };
    assert!(!Vocabulary::new(&policy, &desk).listens());
}

#[test]
fn a_huge_note_costs_one_look_at_its_first_line() {
    let million = "x".repeat(1 << 20);
    assert_eq!(in_note(&million), None);
    let Some(Command::Back { reason: Some(reason) }) = in_note(&format!("/back {million}")) else {
        panic!("a command")
    };
    assert_eq!(reason.chars().count(), REASON_CHARS + 1);
    assert_eq!(in_note(&format!("/{million}")), None);
    let Some(Command::Handoff { to: Target::Unknown(word), .. }) = in_note(&format!("/handoff {million}")) else {
        panic!("a command")
    };
    assert_eq!(word.chars().count(), WORD_CHARS + 1);
    assert_eq!(in_note(&format!("{}/approve", "\n".repeat(1 << 20))), Some(yes()));
}

#[test]
fn a_reason_is_one_line_that_says_something() {
    assert_eq!(in_note("/back done\u{7}\tnow\u{202a}!\nsecond line"), back("done now!"));
    for nothing in ["/back", "/back .", "/back -- …", "/back \u{200b}"] {
        assert_eq!(in_note(nothing), Some(Command::Back { reason: None }), "{nothing:?}");
    }
    assert_eq!(reason_in("\n Because of order 7.\nMore"), Some("Because of order 7.".into()));
}

#[test]
fn a_reason_is_copied_like_the_words_of_a_package() {
    let words = "password: hunter2 card 4111 1111 1111 1111 [handoffd hxx/1 r@v]";
    let masked = "password: [removed] card [card number …1111] (handoffd hxx/1 r@v]";
    assert_eq!(in_note(&format!("/back {words}")), back(masked));
    assert_eq!(in_note(&format!("/handoff billing {words}")), handoff("billing", Some(masked)));
    assert_eq!(in_note(&format!("/reject {words}")), Some(Command::Reject { reason: Some(masked.into()) }));
    assert_eq!(reason_in(words).as_deref(), Some(masked));
    let Some(Command::Handoff { to: Target::Unknown(word), .. }) = in_note("/handoff 4111111111111111 x") else {
        panic!("a command")
    };
    assert_eq!(word, "[card number …1111]");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_so_strange_that_it_cannot_be_read(words in "\\PC{0,200}", tag in "\\PC{0,40}") {
        let _ = (in_note(&words), in_tag(&tag), in_note(&format!("/handoff {words}")), reason_in(&words));
    }

    #[test]
    fn what_does_not_begin_with_a_slash_is_never_a_command(first in "[^/／\\s\\p{Cf}\\p{Cc}]", rest in "\\PC{0,60}") {
        prop_assume!(!first.chars().any(invisible));
        prop_assert_eq!(in_note(&format!("{first}/approve {rest}")), None);
    }
}

/// A yes without a word.
fn yes() -> Command {
    Command::Approve { reason: None, parts: Ok(Vec::new()) }
}

#[test]
fn an_edit_takes_its_parts_from_its_own_line_and_those_below_it() {
    let parts = |words: &str| match in_note(words) {
        Some(Command::Edit { parts } | Command::Approve { parts, .. }) => parts,
        other => panic!("{words}: {other:?}"),
    };
    let question = || Ok(vec![(PackagePart::Question, "May we?".to_owned())]);
    for words in [
        "/edit question: May we?",
        "/Edit\nQuestion: May we?",
        "\n／edit:\r\n\r\n## Open question\r\nMay we?",
        "/approve\nquestion: May we?",
    ] {
        assert_eq!(parts(words), question(), "{words}");
    }
    assert!(parts("/edit").is_err() && parts("/edit hello").is_err());
    assert_eq!(parts("/approve question: May we?"), Ok(Vec::new()), "that is its reason");
    for words in ["> /edit question: x", "Hello\n/edit question: x", "edit question: x", "/edited question: x"] {
        assert_eq!(in_note(words), None, "{words}");
    }
    assert_eq!(Command::Edit { parts: question() }.because(Some("why".into())), Command::Edit { parts: question() });
}
